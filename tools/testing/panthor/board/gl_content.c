// SPDX-License-Identifier: GPL-2.0
/*
 * For make board: an OpenGL ES program with more buffers than its share of the memory.
 * Each round, all words are written; then something is drawn, for which all buffers
 * have to be there; then all words are checked. Several of these at once take each
 * other's memory.
 *
 * usage: gl_content MIB ROUNDS
 *
 * Nothing to link with: the library is where the program runs, not where it's built.
 */
#define EGL_EGL_PROTOTYPES 0
#define GL_GLES_PROTOTYPES 0
#include <dlfcn.h>
#include <string.h>
#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>

#include "content.h"

#define EGL_FUNCTIONS(f) \
	f(PFNEGLGETPLATFORMDISPLAYPROC, eglGetPlatformDisplay) f(PFNEGLINITIALIZEPROC, eglInitialize) \
	f(PFNEGLCREATECONTEXTPROC, eglCreateContext) f(PFNEGLMAKECURRENTPROC, eglMakeCurrent)

#define GL_FUNCTIONS(f) \
	f(PFNGLGETSTRINGPROC, glGetString) f(PFNGLGETERRORPROC, glGetError) \
	f(PFNGLGENBUFFERSPROC, glGenBuffers) f(PFNGLBINDBUFFERPROC, glBindBuffer) \
	f(PFNGLBUFFERDATAPROC, glBufferData) f(PFNGLMAPBUFFERRANGEPROC, glMapBufferRange) \
	f(PFNGLUNMAPBUFFERPROC, glUnmapBuffer) f(PFNGLGENRENDERBUFFERSPROC, glGenRenderbuffers) \
	f(PFNGLBINDRENDERBUFFERPROC, glBindRenderbuffer) f(PFNGLRENDERBUFFERSTORAGEPROC, glRenderbufferStorage) \
	f(PFNGLGENFRAMEBUFFERSPROC, glGenFramebuffers) f(PFNGLBINDFRAMEBUFFERPROC, glBindFramebuffer) \
	f(PFNGLFRAMEBUFFERRENDERBUFFERPROC, glFramebufferRenderbuffer) f(PFNGLCLEARPROC, glClear) \
	f(PFNGLFINISHPROC, glFinish)

#define DECLARE(type, name) static type name;
EGL_FUNCTIONS(DECLARE)
GL_FUNCTIONS(DECLARE)

static void die(const char *what, int error)
{
	printf("%s: 0x%x\n", what, error);
	exit(1);
}

static void load_functions(void)
{
	void *egl = dlopen("libEGL.so.1", RTLD_NOW);
	PFNEGLGETPROCADDRESSPROC get;

	if (!egl)
		die(dlerror(), 0);
	get = (PFNEGLGETPROCADDRESSPROC)dlsym(egl, "eglGetProcAddress");
#define LOAD(type, name) name = (type)get(#name);
	EGL_FUNCTIONS(LOAD)
	GL_FUNCTIONS(LOAD)
}

static void create_context(void)
{
	static const EGLint attributes[] = { EGL_CONTEXT_MAJOR_VERSION, 3, EGL_NONE };
	EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
	EGLContext context;

	if (!eglInitialize(display, NULL, NULL))
		die("no display", 0);
	context = eglCreateContext(display, EGL_NO_CONFIG_KHR, EGL_NO_CONTEXT, attributes);
	if (!eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context))
		die("no context", 0);
	if (!strstr((const char *)glGetString(GL_RENDERER), "Mali"))
		die((const char *)glGetString(GL_RENDERER), 0);
}

static void create_picture(void)
{
	GLuint picture, framebuffer;

	glGenRenderbuffers(1, &picture);
	glBindRenderbuffer(GL_RENDERBUFFER, picture);
	glRenderbufferStorage(GL_RENDERBUFFER, GL_RGBA8, 64, 64);
	glGenFramebuffers(1, &framebuffer);
	glBindFramebuffer(GL_FRAMEBUFFER, framebuffer);
	glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, picture);
}

static void create_buffers(GLuint *buffers, unsigned int n)
{
	glGenBuffers(n, buffers);
	for (unsigned int b = 0; b < n; b++) {
		glBindBuffer(GL_ARRAY_BUFFER, buffers[b]);
		glBufferData(GL_ARRAY_BUFFER, BUFFER_SIZE, NULL, GL_DYNAMIC_DRAW);
	}
}

static uint32_t *map(GLuint buffer, GLbitfield access)
{
	void *words;

	glBindBuffer(GL_ARRAY_BUFFER, buffer);
	words = glMapBufferRange(GL_ARRAY_BUFFER, 0, BUFFER_SIZE, access);
	if (!words)
		die("can't map a buffer", glGetError());
	return words;
}

static void draw(void)
{
	glClear(GL_COLOR_BUFFER_BIT);
	glFinish();
	if (glGetError())
		die("can't draw", 0);
}

int main(int argc, char **argv)
{
	struct plan plan = read_plan(argc, argv);
	GLuint *buffers = calloc(plan.buffers, sizeof(*buffers));

	load_functions();
	create_context();
	create_picture();
	create_buffers(buffers, plan.buffers);
	for (unsigned int round = 0; round < plan.rounds; round++) {
		for (unsigned int b = 0; b < plan.buffers; b++) {
			write_words(map(buffers[b], GL_MAP_WRITE_BIT), round, b);
			glUnmapBuffer(GL_ARRAY_BUFFER);
		}
		draw();
		for (unsigned int b = 0; b < plan.buffers; b++) {
			check_words(map(buffers[b], GL_MAP_READ_BIT), round, b);
			glUnmapBuffer(GL_ARRAY_BUFFER);
		}
	}
	report(plan);
	return 0;
}
