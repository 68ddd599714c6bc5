/* SPDX-License-Identifier: MIT */
/* Threads: a counter under a mutex, a condition variable, thread-local storage, join results. */
#include "check.h"
#include <pthread.h>

#define THREADS 4
#define ROUNDS  2000

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
static long counter, turn;
static _Thread_local long own;

static void *work(void *argument) {
    long me = (long)argument;
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        own += me;
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    while (turn != me)
        pthread_cond_wait(&turned, &mutex);
    turn++;
    pthread_cond_broadcast(&turned);
    pthread_mutex_unlock(&mutex);
    CHECK(own == me * ROUNDS);
    return (void *)(me * 10);
}

int main(void) {
    pthread_t threads[THREADS];
    saying("threads: mutex, condition variable, thread-local storage, join");
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, work, (void *)i) == 0);
    for (long i = 0; i < THREADS; i++) {
        void *result;
        CHECK(pthread_join(threads[i], &result) == 0 && result == (void *)(i * 10));
    }
    CHECK(counter == THREADS * ROUNDS && turn == THREADS && own == 0);
    saying("threads: ok");
    return 0;
}
