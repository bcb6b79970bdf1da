//| what = "Leaves POSIX message queues, semaphores and shared memory for the next run"
//| covers = ["POSIX queues", "/dev/shm"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <fcntl.h>
#include <mqueue.h>
#include <semaphore.h>
#include <sys/mman.h>

int main(void) {
    attack_begin();
    int second = strcmp(told_text("stage"), "second") == 0;
    refused("mq_open", mq_open("/left", O_CREAT | O_RDWR, 0666, 0));
    refused("mq_unlink", syscall(SYS_mq_unlink, "left"));
    int memory = shm_open("/left", second ? O_RDWR : O_CREAT | O_RDWR, 0666);
    sem_t *semaphore = sem_open("/left", second ? 0 : O_CREAT, 0666, 1);
    if (second && memory >= 0)
        got("shared memory is left", memory);
    if (second && semaphore != SEM_FAILED)
        got("a semaphore is left", 1);
    if (!second && memory >= 0 && ftruncate(memory, 4096) == 0)
        mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    return attack_end();
}
