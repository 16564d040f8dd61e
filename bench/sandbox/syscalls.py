"""Numbers of system calls on x86_64 and aarch64.

Source: Linux, arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. A call that an architecture
lacks has no number there.
"""

from typing import NamedTuple

__all__ = [
    "ABSENT",
    "ALLOWED",
    "CHECKED",
    "DEVICE_MESSAGES",
    "EXECUTE",
    "FILE_CHANGES",
    "HIGHEST",
    "RESTRICT",
    "Numbers",
]


class Numbers(NamedTuple):
    """Numbers of a group of system calls by name, per architecture."""

    x86_64: dict[str, int]
    aarch64: dict[str, int]

    def of(self, architecture: str) -> dict[str, int]:
        """Return the numbers on ``architecture``, which is x86_64 or aarch64."""
        return self.x86_64 if architecture == "x86_64" else self.aarch64


def _table(text: str) -> Numbers:
    """Parse words of the form ``name:x86_64:aarch64``; ``-`` stands for none."""
    rows = [word.split(":") for word in text.split()]
    return Numbers(*({row[0]: int(row[column]) for row in rows if row[column] != "-"} for column in (1, 2)))


#: Allowed with any arguments.
ALLOWED = _table(
    """
    access:21:- alarm:37:- arch_prctl:158:- brk:12:214 capget:125:90 chdir:80:49 clock_getres:229:114
    clock_gettime:228:113 clock_nanosleep:230:115 close:3:57 close_range:436:436 copy_file_range:326:285 dup2:33:-
    dup3:292:24 dup:32:23 epoll_create1:291:20 epoll_create:213:- epoll_ctl:233:21 epoll_pwait2:441:441
    epoll_pwait:281:22 epoll_wait:232:- eventfd2:290:19 eventfd:284:- exit:60:93 exit_group:231:94 faccessat2:439:439
    faccessat:269:48 fadvise64:221:223 fallocate:285:47 fchdir:81:50 fdatasync:75:83 flock:73:32 fstat:5:80
    fstatfs:138:44 fsync:74:82 ftruncate:77:46 futex:202:98 futex_requeue:456:456 futex_wait:455:455
    futex_waitv:449:449 futex_wake:454:454 get_mempolicy:239:236 get_robust_list:274:100 getcpu:309:168 getcwd:79:17
    getdents64:217:61 getdents:78:- getegid:108:177 geteuid:107:175 getgid:104:176 getgroups:115:158 getitimer:36:102
    getpgid:121:155 getpgrp:111:- getpid:39:172 getppid:110:173 getpriority:140:141 getrandom:318:278
    getresgid:120:150 getresuid:118:148 getrlimit:97:163 getrusage:98:165 getsid:124:156 gettid:186:178
    gettimeofday:96:169 getuid:102:174 lseek:8:62 lstat:6:- madvise:28:233 map_shadow_stack:453:453 mbind:237:235
    membarrier:324:283 memfd_create:319:279 mincore:27:232 mlock2:325:284 mlock:149:228 mlockall:151:230 mmap:9:222
    mprotect:10:226 mremap:25:216 mseal:462:462 msync:26:227 munlock:150:229 munlockall:152:231 munmap:11:215
    nanosleep:35:101 newfstatat:262:79 pause:34:- pipe2:293:59 pipe:22:- pkey_alloc:330:289 pkey_free:331:290
    pkey_mprotect:329:288 poll:7:- ppoll:271:73 pread64:17:67 preadv2:327:286 preadv:295:69 pselect6:270:72
    pwrite64:18:68 pwritev2:328:287 pwritev:296:70 read:0:63 readahead:187:213 readlink:89:- readlinkat:267:78
    readv:19:65 restart_syscall:219:128 rseq:334:293 rt_sigaction:13:134 rt_sigpending:127:136 rt_sigprocmask:14:135
    rt_sigreturn:15:139 rt_sigsuspend:130:133 rt_sigtimedwait:128:137 sched_get_priority_max:146:125
    sched_get_priority_min:147:126 sched_getaffinity:204:123 sched_getattr:315:275 sched_getparam:143:121
    sched_getscheduler:145:120 sched_rr_get_interval:148:127 sched_setaffinity:203:122 sched_yield:24:124 select:23:-
    sendfile:40:71 set_mempolicy:238:237 set_robust_list:273:99 set_tid_address:218:96 setitimer:38:103
    setrlimit:160:164 sigaltstack:131:132 stat:4:- statfs:137:43 statx:332:291 sync_file_range:277:84 sysinfo:99:179
    time:201:- timer_create:222:107 timer_delete:226:111 timer_getoverrun:225:109 timer_gettime:224:108
    timer_settime:223:110 timerfd_create:283:85 timerfd_gettime:287:87 timerfd_settime:286:86 times:100:153
    umask:95:166 uname:63:160 wait4:61:260 waitid:247:95 write:1:64 writev:20:66
    """
)
#: Change names of files. Landlock decides about each; without Landlock none is allowed in a read-only sandbox.
FILE_CHANGES = _table(
    """
    creat:85:- link:86:- linkat:265:37 mkdir:83:- mkdirat:258:34 rename:82:- renameat2:316:276 renameat:264:38
    rmdir:84:- symlink:88:- symlinkat:266:36 unlink:87:- unlinkat:263:35
    """
)
#: Allowed only in a sandbox with another program.
EXECUTE = _table("execve:59:221")
#: Allowed only in a sandbox with devices: libusb listens to the kernel's messages about them.
DEVICE_MESSAGES = _table("bind:49:200 getsockname:51:204 recvmsg:47:212 setsockopt:54:208 socket:41:198")
#: Allowed depending on the arguments.
CHECKED = _table(
    """
    clone:56:220 fcntl:72:25 ioctl:16:29 kill:62:129 open:2:- openat:257:56 prctl:157:167 prlimit64:302:261
    setpriority:141:140 tgkill:234:131
    """
)
#: Answered as by an older kernel, so that the C library uses a call whose arguments can be checked.
ABSENT = _table(
    """
    clone3:435:435 openat2:437:437
    """
)
#: Install the sandbox.
RESTRICT = _table(
    """
    landlock_add_rule:445:445 landlock_create_ruleset:444:444 landlock_restrict_self:446:446 prctl:157:167
    seccomp:317:277
    """
)
#: The highest number in Linux 6.18. Newer calls are answered as by an older kernel.
HIGHEST = 469
