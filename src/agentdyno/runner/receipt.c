// receipt SOCKET PROGRAM [ARGUMENT...]: runs a verifier, and tells the harness what it ran on.
//
// It stands between a runtime and the verifier, and is neither's: it is static, so no variable can load code
// into it, and it lies in a sealed folder of its own. The harness checks by the kernel who sent a receipt
// (receipts.py). To the runtime it looks like the verifier itself: it passes on descriptors, signal mask and
// exit status, and ends by the signal that ended the verifier.
//
// The receipt is two messages on a SOCK_SEQPACKET socket. Times are CLOCK_MONOTONIC in ns:
//
//   start TIME SOLUTION TESTS OTHERS
//   end TIME EXIT-CODE SIGNAL MICROSECONDS-OF-PROCESSOR-TIME
//
// Between the two, the harness sends a message when it has looked at this process. This program does not end
// before that, even where the verifier has ended at once and the harness is late.
//
// SOLUTION and TESTS are the SHA-256 of solution.py and test_solution.py, "-" for a file that cannot be read.
// OTHERS counts what else lies in the current folder. A verifier that is killed with its group leaves no
// second message.

#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CANNOT_RUN = 126, HEX = 65 };

struct sha256 {
    uint32_t state[8];
    uint64_t bytes;
    unsigned char block[64];
};

static uint32_t rotated(uint32_t value, int by) {
    return value >> by | value << (32 - by);
}

/// The fractional parts of the roots of the first 64 primes (FIPS 180-4, 4.2.2).
static uint32_t const ROUND[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static void sha256_block(struct sha256 *hash) {
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++) {
        unsigned char const *word = hash->block + 4 * i;
        w[i] = (uint32_t)word[0] << 24 | (uint32_t)word[1] << 16 | (uint32_t)word[2] << 8 | word[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t const low = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t const high = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + low + w[i - 7] + high;
    }
    memcpy(v, hash->state, sizeof v);
    for (int i = 0; i < 64; i++) {
        uint32_t const e = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25);
        uint32_t const first = v[7] + e + ((v[4] & v[5]) ^ (~v[4] & v[6])) + ROUND[i] + w[i];
        uint32_t const a = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22);
        uint32_t const second = a + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += first;
        v[0] = first + second;
    }
    for (int i = 0; i < 8; i++)
        hash->state[i] += v[i];
}

static void sha256_add(struct sha256 *hash, unsigned char const *data, size_t size) {
    while (size > 0) {
        size_t const at = hash->bytes % 64, taken = size < 64 - at ? size : 64 - at;
        memcpy(hash->block + at, data, taken);
        hash->bytes += taken;
        data += taken;
        size -= taken;
        if (hash->bytes % 64 == 0)
            sha256_block(hash);
    }
}

static void sha256_end(struct sha256 *hash, char hex[HEX]) {
    unsigned char padding[72] = {0x80}, length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)(hash->bytes * 8 >> (56 - 8 * i));
    sha256_add(hash, padding, 1 + (119 - hash->bytes % 64) % 64);
    sha256_add(hash, length, sizeof length);
    for (int i = 0; i < 8; i++)
        snprintf(hex + 8 * i, 9, "%08" PRIx32, hash->state[i]);
}

/// The SHA-256 of a regular file in hexadecimal, "-" where it cannot be read. No link is followed.
static void sha256_of_file(char const *name, char hex[HEX]) {
    struct sha256 hash = {.state = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c,
                                    0x1f83d9ab, 0x5be0cd19}};
    unsigned char data[4096];
    struct stat status;
    ssize_t got = -1;
    int const file = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file >= 0 && fstat(file, &status) == 0 && S_ISREG(status.st_mode)) {
        while ((got = read(file, data, sizeof data)) > 0)
            sha256_add(&hash, data, (size_t)got);
    }
    if (file >= 0)
        close(file);
    strcpy(hex, "-");
    if (got == 0)
        sha256_end(&hash, hex);
}

/// How many entries of the current folder are not the two files that a verification is about; -1 if it cannot
/// be read.
static int others_here(void) {
    DIR *const here = opendir(".");
    if (here == NULL)
        return -1;
    int others = 0;
    for (struct dirent const *entry; (entry = readdir(here)) != NULL;) {
        char const *known[] = {".", "..", "solution.py", "test_solution.py"};
        int is_known = 0;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            is_known |= strcmp(entry->d_name, known[i]) == 0;
        others += !is_known;
    }
    closedir(here);
    return others;
}

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int refuse(char const *what) {
    fprintf(stderr, "receipt: %s: %s\n", what, strerror(errno));
    return CANNOT_RUN;
}

/// The name is one of the abstract namespace, which has no file, and so none that a kill could leave
/// (unix(7)).
static int connected_to(char const *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t const length = strlen(name);
    if (length >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(address.sun_path + 1, name, length);
    socklen_t const size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    int const harness = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (harness >= 0 && connect(harness, (struct sockaddr *)&address, size) == 0)
        return harness;
    return -1;
}

/// Starts the verifier with the descriptors and the signals that this program was started with.
static int started(char *argv[], sigset_t const *mask, pid_t *verifier) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setsigmask(&attributes, mask);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    return posix_spawnp(verifier, argv[0], NULL, &attributes, argv, environ);
}

/// Waits for the verifier, and reaps what it left behind meanwhile, which falls to this process.
static int status_of(pid_t verifier) {
    int status = 0;
    for (pid_t ended; (ended = waitpid(-1, &status, 0)) != verifier;) {
        if (ended < 0 && errno != EINTR)
            return CANNOT_RUN << 8;
    }
    return status;
}

static int64_t children_cpu_us(void) {
    struct rusage used;
    getrusage(RUSAGE_CHILDREN, &used);
    return ((int64_t)used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
}

int main(int argc, char *argv[]) {
    int64_t const began = now_ns();
    char message[256], solution[HEX], tests[HEX];
    if (argc < 3) {
        fputs("usage: receipt SOCKET PROGRAM [ARGUMENT...]\n", stderr);
        return CANNOT_RUN;
    }
    int const harness = connected_to(argv[1]);
    if (harness < 0)
        return refuse(argv[1]);
    sha256_of_file("solution.py", solution);
    sha256_of_file("test_solution.py", tests);
    int length = snprintf(message, sizeof message, "start %" PRId64 " %s %s %d", began, solution, tests,
                          others_here());
    if (send(harness, message, (size_t)length, MSG_NOSIGNAL) != length)
        return refuse("the harness is gone");

    // A signal for the whole group is the verifier's to answer; this process ends as the verifier does.
    sigset_t every, mask;
    sigfillset(&every);
    sigprocmask(SIG_SETMASK, &every, &mask);
    // What the code under test leaves behind stays below this process as long as the verifier runs.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t verifier;
    errno = started(argv + 2, &mask, &verifier);
    if (errno != 0)
        return refuse(argv[2]);
    int const status = status_of(verifier);
    int const code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    int const number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    // The wait belongs to the verification, so that it is not taken for time that the runtime lost.
    char seen;
    if (recv(harness, &seen, sizeof seen, 0) < 0)
        return refuse("the harness is gone");
    length = snprintf(message, sizeof message, "end %" PRId64 " %d %d %" PRId64, now_ns(), code, number,
                      children_cpu_us());
    send(harness, message, (size_t)length, MSG_NOSIGNAL);
    if (number == 0)
        return code;
    struct rlimit const none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);  // the verifier has left one, if there is to be any
    signal(number, SIG_DFL);
    sigemptyset(&every);
    raise(number);
    sigprocmask(SIG_SETMASK, &every, NULL);
    return CANNOT_RUN;
}
