/* Runs a program and writes what it used: `probe REPORT PROGRAM ARGUMENT...`; alone, it ends at once.
 *
 * In the image there is no shell and no `time`, and what the kernel counts for a process is told to its parent alone:
 * so a parent is mounted into the container and started in the entrypoint's place. It is static, to run in an empty
 * image, and tiny, since the peak memory that is told of a child includes what it was before it became another
 * program. Bare runs are measured by the same probe, so that both figures mean the same. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long microseconds(struct timeval time) {
  return time.tv_sec * 1000000LL + time.tv_usec;
}

int main(int count, char **arguments) {
  if (count < 3) return 0;
  int report = open(arguments[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (report < 0) { perror(arguments[1]); return 125; }
  struct timespec begun, ended;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  pid_t child = vfork();
  if (child < 0) { perror("vfork"); return 125; }
  if (child == 0) {
    execv(arguments[2], arguments + 2);
    _exit(127);
  }
  int status;
  struct rusage used;
  if (wait4(child, &status, 0, &used) != child) { perror("wait4"); return 125; }
  clock_gettime(CLOCK_MONOTONIC, &ended);
  long long wall = (ended.tv_sec - begun.tv_sec) * 1000000LL + (ended.tv_nsec - begun.tv_nsec) / 1000;
  /* Microseconds of CPU (user and system), KiB of memory at most, microseconds of wall time. */
  dprintf(report, "%lld %ld %lld\n", microseconds(used.ru_utime) + microseconds(used.ru_stime), used.ru_maxrss, wall);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
