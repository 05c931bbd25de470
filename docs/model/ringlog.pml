/* The protocol of a ring: claim, commit, drain, publish, death and repair, for one lane
 * and one output. README.md says what is abstracted away; check.sh has the configurations
 * and the mutants. Rules in comments (W2, O4, C3, D4, ...) are those of ../format.md. */

#include "ring.pml"
#include "worker.pml"
#include "stream.pml"
#include "drain.pml"

inline killWorker(w)
{
	d_step {
		workerKills > 0 && !dead[w] && running[w] > 0 ->
		workerKills--;
		dead[w] = true;
		dying = running[w];
		vanished[w] = (lanState == OWNED && lanOwner == w && laneLock == WORKER(w));
		laneLock = (laneLock == WORKER(w) -> 0 : laneLock)    /* O1 */
	}
}

/* Death comes at any step, or does not come. */
proctype Killer() provided (dying == 0)
{
	do
	:: killWorker(0)
#if WORKERS > 1
	:: killWorker(1)
#endif
	:: d_step {
		readerKills > 0 && !readerDead && !readerDone ->
		readerKills--;
		readerDead = true;
		dying = 1;
		laneLock = (laneLock == READER -> 0 : laneLock)
	}
	:: break
	od
}

init {
	atomic {
		byte g;
		do
		:: g < ALL -> running[WORKER_OF(g)]++; run Goroutine(g); g++
		:: else -> break
		od;
		g = 0;
		run Reader();
		run Killer()
	}
}
