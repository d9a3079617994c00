// SPDX-License-Identifier: GPL-2.0
/*
 * For make board: a Vulkan program with more buffers than its share of the memory, all
 * of which are mapped. Each round, all words are written; then there's a submission,
 * which needs all buffers to be there, and sets an event on the GPU; then all words are
 * checked. Several of these at once take each other's memory.
 *
 * usage: vulkan_content MIB ROUNDS
 *
 * Nothing to link with: the library is where the program runs, not where it's built.
 */
#define VK_NO_PROTOTYPES
#include <dlfcn.h>
#include <string.h>
#include <vulkan/vulkan.h>

#include "content.h"

#define FUNCTIONS(f) \
	f(vkCreateInstance) f(vkEnumeratePhysicalDevices) f(vkGetPhysicalDeviceProperties) \
	f(vkGetPhysicalDeviceMemoryProperties) f(vkCreateDevice) f(vkGetDeviceQueue) \
	f(vkAllocateMemory) f(vkMapMemory) f(vkCreateCommandPool) f(vkAllocateCommandBuffers) \
	f(vkBeginCommandBuffer) f(vkCmdSetEvent) f(vkEndCommandBuffer) f(vkCreateEvent) \
	f(vkGetEventStatus) f(vkResetEvent) f(vkQueueSubmit) f(vkQueueWaitIdle)

#define DECLARE(name) static PFN_##name name;
FUNCTIONS(DECLARE)

static VkInstance instance;
static VkPhysicalDevice gpu;
static VkDevice device;
static VkQueue queue;
static VkCommandBuffer commands;
static VkEvent event;

static void die(const char *what, int result)
{
	printf("%s: %d\n", what, result);
	exit(1);
}

#define TRY(call) do { VkResult r_ = (call); if (r_) die(#call, r_); } while (0)

static PFN_vkGetInstanceProcAddr load_library(void)
{
	void *library = dlopen("libvulkan.so.1", RTLD_NOW);

	if (!library)
		die(dlerror(), 0);
	return (PFN_vkGetInstanceProcAddr)dlsym(library, "vkGetInstanceProcAddr");
}

static void create_instance(void)
{
	PFN_vkGetInstanceProcAddr get = load_library();
	const VkInstanceCreateInfo info = { .sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO };

	vkCreateInstance = (PFN_vkCreateInstance)get(NULL, "vkCreateInstance");
	TRY(vkCreateInstance(&info, NULL, &instance));
#define LOAD(name) name = (PFN_##name)get(instance, #name);
	vkCreateInstance = NULL;
	FUNCTIONS(LOAD)
}

/* The machine has a software renderer, too. */
static void choose_gpu(void)
{
	VkPhysicalDeviceProperties properties;
	VkPhysicalDevice gpus[8];
	uint32_t n = 8;

	TRY(vkEnumeratePhysicalDevices(instance, &n, gpus));
	for (uint32_t i = 0; i < n && !gpu; i++) {
		vkGetPhysicalDeviceProperties(gpus[i], &properties);
		if (strstr(properties.deviceName, "Mali"))
			gpu = gpus[i];
	}
	if (!gpu)
		die("no Mali among the devices", n);
}

static void create_device(void)
{
	const float priority = 1;
	const VkDeviceQueueCreateInfo queue_info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO,
		.queueCount = 1,
		.pQueuePriorities = &priority,
	};
	const VkDeviceCreateInfo info = {
		.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO,
		.queueCreateInfoCount = 1,
		.pQueueCreateInfos = &queue_info,
	};

	TRY(vkCreateDevice(gpu, &info, NULL, &device));
	vkGetDeviceQueue(device, 0, 0, &queue);
}

static uint32_t visible_memory_type(void)
{
	const VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
					     VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
	VkPhysicalDeviceMemoryProperties memory;

	vkGetPhysicalDeviceMemoryProperties(gpu, &memory);
	for (uint32_t i = 0; i < memory.memoryTypeCount; i++)
		if ((memory.memoryTypes[i].propertyFlags & wanted) == wanted)
			return i;
	die("no memory that the CPU sees", 0);
	return 0;
}

static uint32_t *create_buffer(uint32_t type)
{
	const VkMemoryAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO,
		.allocationSize = BUFFER_SIZE,
		.memoryTypeIndex = type,
	};
	VkDeviceMemory memory;
	void *map;

	TRY(vkAllocateMemory(device, &info, NULL, &memory));
	TRY(vkMapMemory(device, memory, 0, VK_WHOLE_SIZE, 0, &map));
	return map;
}

/* One command: set the event */
static void record_commands(void)
{
	const VkEventCreateInfo event_info = { .sType = VK_STRUCTURE_TYPE_EVENT_CREATE_INFO };
	const VkCommandPoolCreateInfo pool_info = { .sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO };
	VkCommandBufferAllocateInfo info = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO,
		.commandBufferCount = 1,
	};
	const VkCommandBufferBeginInfo begin = {
		.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO,
		.flags = VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT,
	};

	TRY(vkCreateEvent(device, &event_info, NULL, &event));
	TRY(vkCreateCommandPool(device, &pool_info, NULL, &info.commandPool));
	TRY(vkAllocateCommandBuffers(device, &info, &commands));
	TRY(vkBeginCommandBuffer(commands, &begin));
	vkCmdSetEvent(commands, event, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT);
	TRY(vkEndCommandBuffer(commands));
}

static void run_on_gpu(void)
{
	const VkSubmitInfo submit = {
		.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO,
		.commandBufferCount = 1,
		.pCommandBuffers = &commands,
	};

	TRY(vkResetEvent(device, event));
	TRY(vkQueueSubmit(queue, 1, &submit, VK_NULL_HANDLE));
	TRY(vkQueueWaitIdle(queue));
	if (vkGetEventStatus(device, event) != VK_EVENT_SET)
		die("the GPU did not set the event", 0);
}

int main(int argc, char **argv)
{
	struct plan plan = read_plan(argc, argv);
	uint32_t **buffers = calloc(plan.buffers, sizeof(*buffers)), type;

	create_instance();
	choose_gpu();
	create_device();
	record_commands();
	type = visible_memory_type();
	for (unsigned int b = 0; b < plan.buffers; b++)
		buffers[b] = create_buffer(type);
	for (unsigned int round = 0; round < plan.rounds; round++) {
		for (unsigned int b = 0; b < plan.buffers; b++)
			write_words(buffers[b], round, b);
		run_on_gpu();
		for (unsigned int b = 0; b < plan.buffers; b++)
			check_words(buffers[b], round, b);
	}
	report(plan);
	return 0;
}
