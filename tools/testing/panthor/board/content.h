/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs of make board keep in buffers that CPU and GPU share: content that is
 * different for each word, buffer, round and process.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_SIZE (4u << 20)
#define BUFFER_WORDS (BUFFER_SIZE / sizeof(uint32_t))

static inline uint32_t word_of(uint32_t seed, unsigned int word)
{
	return seed ^ (word * 2654435761u);
}

static inline uint32_t seed_of(unsigned int round, unsigned int buffer)
{
	return (buffer << 20) ^ (round << 8) ^ getpid();
}

static inline void write_words(uint32_t *words, unsigned int round, unsigned int buffer)
{
	uint32_t seed = seed_of(round, buffer);

	for (unsigned int i = 0; i < BUFFER_WORDS; i++)
		words[i] = word_of(seed, i);
}

static inline void check_words(const uint32_t *words, unsigned int round, unsigned int buffer)
{
	uint32_t seed = seed_of(round, buffer);

	for (unsigned int i = 0; i < BUFFER_WORDS; i++) {
		if (words[i] == word_of(seed, i))
			continue;
		printf("round %u, buffer %u, word %u: 0x%x instead of 0x%x\n", round, buffer, i,
		       words[i], word_of(seed, i));
		exit(1);
	}
}

struct plan {
	unsigned int buffers, rounds;
};

/* The arguments of the program: MIB ROUNDS */
static inline struct plan read_plan(int argc, char **argv)
{
	struct plan plan = {};

	if (argc == 3) {
		plan.buffers = strtoul(argv[1], NULL, 10) * (1u << 20) / BUFFER_SIZE;
		plan.rounds = strtoul(argv[2], NULL, 10);
	}
	if (!plan.buffers || !plan.rounds) {
		fprintf(stderr, "usage: %s MIB ROUNDS\n", argv[0]);
		exit(2);
	}
	return plan;
}

static inline void report(struct plan plan)
{
	printf("%lu words right, %u submissions\n",
	       (unsigned long)plan.rounds * plan.buffers * BUFFER_WORDS, plan.rounds);
}

#endif
