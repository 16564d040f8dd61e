/* A TFLite delegate that tries to get out of a worker. Each attempt returns 0 if it worked, otherwise the errno.
   The test compiles it: cc -shared -fPIC attacks.c -o attacks.so -lpthread */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static const char *set(const char *name) { const char *value = getenv(name); return value ? value : ""; }
static const char *in(const char *folder, const char *name) {
  static char path[2][4096]; static int turn; turn = !turn;
  snprintf(path[turn], sizeof path[turn], "%s/%s", set(folder), name);
  return path[turn];
}
static int failed(long result) { return result < 0 ? errno : 0; }
static int opened(const char *path, int flags) {
  int handle = open(path, flags, 0600);
  if (handle < 0) return errno;
  close(handle); return 0;
}
static int of_parent(const char *name) {
  char path[64], byte; snprintf(path, sizeof path, "/proc/%d/%s", getppid(), name);
  int handle = open(path, O_RDONLY);
  if (handle < 0) return errno;
  int code = failed(read(handle, &byte, 1)); close(handle); return code;
}

/* files */
static int create(void) { return opened(in("OUTSIDE", "new"), O_WRONLY | O_CREAT); }
static int overwrite(void) { return opened(in("OUTSIDE", "file"), O_WRONLY | O_TRUNC); }
static int append(void) { return opened(in("OUTSIDE", "file"), O_WRONLY | O_APPEND); }
static int truncate_while_reading(void) { return opened(set("MODEL"), O_RDONLY | O_TRUNC); }
static int truncate_ioctl_mode(void) { return opened(set("MODEL"), O_ACCMODE | O_TRUNC); }
static int truncate_by_name(void) { return failed(truncate(set("MODEL"), 0)); }
static int unnamed_file(void) { return opened(set("OUTSIDE"), O_TMPFILE | O_RDWR); }
static int open_with_openat2(void) {
  struct { unsigned long long flags, mode, resolve; } how = {O_WRONLY | O_CREAT, 0600, 0};
  return failed(syscall(437, AT_FDCWD, in("OUTSIDE", "new2"), &how, sizeof how));
}
static int make_folder(void) { return failed(mkdir(in("OUTSIDE", "folder"), 0700)); }
static int remove_file(void) { return failed(unlink(in("OUTSIDE", "file"))); }
static int rename_file(void) { return failed(rename(in("OUTSIDE", "file"), in("OUTSIDE", "other"))); }
static int take_file(void) { return failed(rename(in("OUTSIDE", "file"), in("TMPDIR", "taken"))); }
static int link_private(void) { return failed(link(in("HOME", ".ssh/key"), in("TMPDIR", "linked"))); }
static int soft_link(void) { return failed(symlink("/etc/passwd", in("OUTSIDE", "link"))); }
static int read_through_link(void) {
  unlink(in("TMPDIR", "way")); if (symlink(in("HOME", ".ssh/key"), in("TMPDIR", "way"))) return errno;
  return opened(in("TMPDIR", "way"), O_RDONLY);
}
static int read_through_root(void) {
  char path[4200]; snprintf(path, sizeof path, "/proc/self/root%s/.ssh/key", set("HOME")); return opened(path, O_RDONLY);
}
static int make_device(void) { return failed(mknod(in("TMPDIR", "device"), S_IFBLK | 0600, 0)); }
static int change_mode(void) { return failed(chmod(in("OUTSIDE", "file"), 0777)); }
static int change_mode_of_model(void) {
  int handle = open(set("MODEL"), O_RDONLY); if (handle < 0) return errno;
  int code = failed(fchmod(handle, 0666)); close(handle); return code;
}
static int change_owner(void) { return failed(chown(in("OUTSIDE", "file"), 1, 1)); }
static int change_times(void) { return failed(utimensat(AT_FDCWD, in("OUTSIDE", "file"), NULL, 0)); }
static int attribute(void) { return failed(setxattr(in("OUTSIDE", "file"), "user.x", "y", 1, 0)); }
static int read_key(void) { return opened(in("HOME", ".ssh/key"), O_RDONLY); }
static int list_keys(void) { return opened(in("HOME", ".ssh"), O_RDONLY | O_DIRECTORY); }
static int list_home(void) { return opened(set("HOME"), O_RDONLY | O_DIRECTORY); }
static int read_outside(void) { return opened(in("OUTSIDE", "file"), O_RDONLY); }
static int read_passwords(void) { return opened("/etc/passwd", O_RDONLY); }
static int read_environment_of_parent(void) { return of_parent("environ"); }
static int read_memory_of_parent(void) { return of_parent("maps"); }
static int open_kernel_setting(void) { return opened("/proc/sys/kernel/hostname", O_WRONLY); }
static int open_kernel_log(void) { return opened("/dev/kmsg", O_RDONLY); }
static int open_terminals(void) { return opened("/dev/ptmx", O_RDWR); }
static int handle_of_file(void) {
  struct { unsigned bytes; int type; unsigned char data[128]; } handle = {128, 0, {0}}; int mount_id;
  return failed(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &handle, &mount_id, 0));
}

/* network */
static int socket_of(int family, int type, int protocol) {
  int handle = socket(family, type, protocol); if (handle < 0) return errno;
  close(handle); return 0;
}
static int connect_tcp(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(set("PORT"))), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int handle = socket(AF_INET, SOCK_STREAM, 0); if (handle < 0) return errno;
  int code = failed(connect(handle, (struct sockaddr *)&to, sizeof to)); close(handle); return code;
}
static int send_udp(void) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int handle = socket(AF_INET, SOCK_DGRAM, 0); if (handle < 0) return errno;
  int code = failed(sendto(handle, "x", 1, 0, (struct sockaddr *)&to, sizeof to)); close(handle); return code;
}
static int connect_unix(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX}; strncpy(to.sun_path, set("SOCKET"), sizeof to.sun_path - 1);
  int handle = socket(AF_UNIX, SOCK_STREAM, 0); if (handle < 0) return errno;
  int code = failed(connect(handle, (struct sockaddr *)&to, sizeof to)); close(handle); return code;
}
static int tcp6(void) { return socket_of(AF_INET6, SOCK_STREAM, 0); }
static int raw_socket(void) { return socket_of(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static int packet_socket(void) { return socket_of(AF_PACKET, SOCK_RAW, 0); }
static int netlink_socket(void) { return socket_of(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }
static int virtual_socket(void) { return socket_of(AF_VSOCK, SOCK_STREAM, 0); }
static int kernel_crypto(void) { return socket_of(AF_ALG, SOCK_SEQPACKET, 0); }
static int socket_pair(void) { int ends[2]; return failed(socketpair(AF_UNIX, SOCK_STREAM, 0, ends)); }

/* programs and processes */
static int ended(long child) {
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  waitpid(child, NULL, 0); return 0;
}
static int fork_it(void) { return ended(fork()); }
static int fork_by_clone(void) { return ended(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)); }
static int fork_by_clone3(void) {
  struct { unsigned long long flags, pidfd, child, parent, exit, stack, size, tls; } how = {.exit = SIGCHLD};
  return ended(syscall(435, &how, sizeof how));
}
static int thread_in_new_network(void) { return failed(syscall(SYS_clone, 0x40000000 | CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWNS, 0, 0, 0, 0)); }
static char *const program[] = {"true", NULL}, *const nothing[] = {NULL};
static int execute(void) { return failed(execve("/bin/true", program, nothing)); }
static int execute_in_memory(void) {
  int handle = syscall(SYS_memfd_create, "program", 0), from = open("/bin/true", O_RDONLY); char part[65536]; long got;
  if (handle < 0 || from < 0) return errno;
  while ((got = read(from, part, sizeof part)) > 0) if (write(handle, part, got) < 0) return errno;
  return failed(syscall(SYS_execveat, handle, "", program, nothing, AT_EMPTY_PATH));
}
static int spawn(void) { pid_t child; int code = posix_spawn(&child, "/bin/true", NULL, NULL, program, nothing); if (!code) waitpid(child, NULL, 0); return code; }
static int shell(void) { int status = system("exit 0"); return status == 0 ? 0 : errno ? errno : EPERM; }
static int trace_parent(void) { return failed(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL)); }
static int read_parent(void) { char byte; struct iovec own = {&byte, 1}, its = {(void *)environ, 1}; return failed(process_vm_readv(getppid(), &own, 1, &its, 1, 0)); }
static int write_parent(void) { char byte = 0; struct iovec own = {&byte, 0}, its = {(void *)environ, 0}; return failed(process_vm_writev(getppid(), &own, 1, &its, 1, 0)); }
static int signal_parent(void) { return failed(kill(getppid(), 0)); }
static int signal_all(void) { return failed(kill(-1, 0)); }
static int signal_group(void) { return failed(kill(0, 0)); }
static int signal_thread_of_parent(void) { return failed(syscall(SYS_tgkill, getppid(), getppid(), 0)); }
static int signal_by_tkill(void) { return failed(syscall(SYS_tkill, getppid(), 0)); }
static int queue_signal(void) { siginfo_t info = {.si_code = -1}; return failed(syscall(SYS_rt_sigqueueinfo, getppid(), 0, &info)); }
static int signal_by_pipe(void) { int ends[2]; if (pipe(ends)) return errno; int code = failed(fcntl(ends[0], F_SETOWN, getppid())); close(ends[0]); close(ends[1]); return code; }
static int process_handle(void) { return failed(syscall(434, getppid(), 0)); }
static int outlive_parent(void) { return failed(prctl(PR_SET_PDEATHSIG, 0)); }
static int limit_parent(void) { struct rlimit old; return failed(prlimit(getppid(), RLIMIT_NOFILE, NULL, &old)); }
static int slow_parent(void) { return failed(setpriority(PRIO_PROCESS, getppid(), 19)); }
static int type_into_terminal(void) { int code = failed(ioctl(0, TIOCSTI, "x")); return code == ENOTTY ? 0 : code; }

/* the kernel */
#define CALL(name, ...) static int name(void) { return failed(syscall(__VA_ARGS__)); }
CALL(io_uring, 425, 1, calloc(1, 256))
CALL(bpf, SYS_bpf, 0, calloc(1, 256), 128)
CALL(mount_it, SYS_mount, "none", "/nowhere", "tmpfs", 0, NULL)
CALL(unmount, SYS_umount2, "/nowhere", 0)
CALL(unshare_user, SYS_unshare, CLONE_NEWUSER)
CALL(unshare_network, SYS_unshare, CLONE_NEWNET)
CALL(set_namespace, SYS_setns, -1, 0)
CALL(keys, SYS_keyctl, 0, -3, 0)
CALL(add_key, SYS_add_key, "user", "edge-bench", "x", 1, -2)
CALL(user_faults, SYS_userfaultfd, O_CLOEXEC)
CALL(performance, SYS_perf_event_open, calloc(1, 128), 0, -1, -1, 0)
CALL(module, SYS_init_module, NULL, 0, "")
CALL(change_root, SYS_chroot, "/usr")
CALL(watch_files, SYS_fanotify_init, 0, 0)
CALL(personality_it, SYS_personality, 0xffffffff)
CALL(host_name, SYS_sethostname, "x", -1)
CALL(set_clock, SYS_clock_settime, 0, NULL)
CALL(new_filter, SYS_seccomp, 1, 1 << 3, NULL)
CALL(shared_memory, SYS_shmget, 0, 4096, 0600)
CALL(messages, SYS_msgget, 0, 0600)
CALL(secret_memory, 447, 0)
CALL(mount_tree, 428, AT_FDCWD, "/", 1)
CALL(file_system, 430, "tmpfs", 0)
CALL(become_user, SYS_setuid, getuid())
CALL(new_call, 999)
#ifdef __x86_64__
CALL(x32, 0x40000000 | 39)
static int call_of_32_bits(void) { long result; __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory", "r8", "r9", "r10", "r11"); return result < 0 ? -result : 0; }
#endif

#define TRY(name) {#name, name}
static const struct { const char *name; int (*try)(void); } ATTEMPTS[] = {
  TRY(create), TRY(overwrite), TRY(append), TRY(truncate_while_reading), TRY(truncate_ioctl_mode), TRY(truncate_by_name),
  TRY(unnamed_file), TRY(open_with_openat2), TRY(make_folder), TRY(rename_file), TRY(take_file), TRY(remove_file),
  TRY(link_private), TRY(soft_link), TRY(read_through_link), TRY(read_through_root), TRY(make_device), TRY(change_mode),
  TRY(change_mode_of_model), TRY(change_owner), TRY(change_times), TRY(attribute), TRY(read_key), TRY(list_keys),
  TRY(list_home), TRY(read_outside), TRY(read_passwords), TRY(read_environment_of_parent), TRY(read_memory_of_parent),
  TRY(open_kernel_setting), TRY(open_kernel_log), TRY(open_terminals), TRY(handle_of_file),
  TRY(connect_tcp), TRY(send_udp), TRY(connect_unix), TRY(tcp6), TRY(raw_socket), TRY(packet_socket),
  TRY(netlink_socket), TRY(virtual_socket), TRY(kernel_crypto), TRY(socket_pair),
  TRY(fork_it), TRY(fork_by_clone), TRY(fork_by_clone3), TRY(thread_in_new_network), TRY(execute), TRY(execute_in_memory),
  TRY(spawn), TRY(shell), TRY(trace_parent), TRY(read_parent), TRY(write_parent), TRY(signal_parent), TRY(signal_all),
  TRY(signal_group), TRY(signal_thread_of_parent), TRY(signal_by_tkill), TRY(queue_signal), TRY(signal_by_pipe),
  TRY(process_handle), TRY(outlive_parent), TRY(limit_parent), TRY(slow_parent), TRY(type_into_terminal),
  TRY(io_uring), TRY(bpf), TRY(mount_it), TRY(unmount), TRY(unshare_user), TRY(unshare_network), TRY(set_namespace), TRY(keys),
  TRY(add_key), TRY(user_faults), TRY(performance), TRY(module), TRY(change_root), TRY(watch_files), TRY(personality_it),
  TRY(host_name), TRY(set_clock), TRY(new_filter), TRY(shared_memory), TRY(messages), TRY(secret_memory), TRY(mount_tree),
  TRY(file_system), TRY(become_user), TRY(new_call),
#ifdef __x86_64__
  TRY(x32), TRY(call_of_32_bits),
#endif
};
enum { COUNT = sizeof ATTEMPTS / sizeof *ATTEMPTS };
static int codes[COUNT];

/* Write "name errno" lines; -1 for an attempt that was not made. Return the length. */
int attack_report(char *text, int size) {
  int used = 0;
  for (int each = 0; each < COUNT; each++) used += snprintf(text + used, size - used, "%s %d\n", ATTEMPTS[each].name, codes[each]);
  return used;
}

/* ONLY, if set, has the names of the attempts to make, each between commas. */
void attack(void) {
  for (int each = 0; each < COUNT; each++) {
    char name[64]; snprintf(name, sizeof name, ",%s,", ATTEMPTS[each].name);
    errno = 0;
    codes[each] = *set("ONLY") && !strstr(set("ONLY"), name) ? -1 : ATTEMPTS[each].try();
  }
}

/* What the interpreter calls when it loads a delegate. */
void *tflite_plugin_create_delegate(char **keys, char **values, size_t count, void (*report)(const char *)) {
  (void)keys; (void)values; (void)count; (void)report;
  attack();
  return NULL;
}
void tflite_plugin_destroy_delegate(void *delegate) { (void)delegate; }
