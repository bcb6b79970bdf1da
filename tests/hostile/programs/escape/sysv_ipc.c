//| what = "Leaves System V shared memory, semaphores and messages for the next run"
//| covers = ["SysV IPC"]
//| verdict = ["accepted"]
//| stages = ["first", "second"]
#include "attack.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

int main(void) {
    attack_begin();
    for (int key = 4242; key < 4245; key++) {
        int memory = shmget(key, 4096, IPC_CREAT | 0666);
        refused("shmget", memory);
        void *place = memory < 0 ? (void *)-1 : shmat(memory, 0, 0);
        if (place != (void *)-1 && strcmp(told_text("stage"), "second") == 0 && *(char *)place)
            got("left in shared memory", *(char *)place);
        if (place != (void *)-1)
            *(char *)place = 'L';
        refused("semget", semget(key, 1, IPC_CREAT | 0666));
        refused("msgget", msgget(key, IPC_CREAT | 0666));
        for (int id = 0; id < 64; id++) {
            refused("shmctl", shmctl(id, SHM_STAT, 0));
            refused("semctl", semctl(id, 0, SEM_STAT, 0));
            refused("msgctl", msgctl(id, MSG_STAT, 0));
        }
    }
    return attack_end();
}
