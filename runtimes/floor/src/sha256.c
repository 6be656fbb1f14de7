#include "sha256.h"

#include <string.h>

enum { BLOCK_BYTES = 64, ROUNDS = 64 };

static uint32_t const CONSTANTS[ROUNDS] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t rotated(uint32_t word, int bits) {
    return (word >> bits) | (word << (32 - bits));
}

static void add_block(uint32_t hash[8], unsigned char const block[BLOCK_BYTES]) {
    uint32_t schedule[ROUNDS];
    for (int i = 0; i < 16; ++i)
        schedule[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 |
                      (uint32_t)block[4 * i + 2] << 8 | block[4 * i + 3];
    for (int i = 16; i < ROUNDS; ++i) {
        uint32_t const early = schedule[i - 15], late = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (rotated(early, 7) ^ rotated(early, 18) ^ early >> 3) +
                      schedule[i - 7] + (rotated(late, 17) ^ rotated(late, 19) ^ late >> 10);
    }
    uint32_t a = hash[0], b = hash[1], c = hash[2], d = hash[3];
    uint32_t e = hash[4], f = hash[5], g = hash[6], h = hash[7];
    for (int i = 0; i < ROUNDS; ++i) {
        uint32_t const first = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) +
                               CONSTANTS[i] + schedule[i];
        uint32_t const second =
            (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    uint32_t const result[8] = {a, b, c, d, e, f, g, h};
    for (int i = 0; i < 8; ++i)
        hash[i] += result[i];
}

void sha256(struct slice text, unsigned char digest[SHA256_BYTES]) {
    uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t at = 0;
    for (; text.size - at >= BLOCK_BYTES; at += BLOCK_BYTES)
        add_block(hash, (unsigned char const *)text.bytes + at);
    // What is left, a bit, zeros, and the length in bits: one block or two.
    unsigned char last[2 * BLOCK_BYTES] = {0};
    size_t const left = text.size - at;
    if (left > 0)
        memcpy(last, text.bytes + at, left);
    last[left] = 0x80;
    size_t const size = left < BLOCK_BYTES - 8 ? BLOCK_BYTES : 2 * BLOCK_BYTES;
    uint64_t const bits = (uint64_t)text.size * 8;
    for (size_t i = 0; i < 8; ++i)
        last[size - 1 - i] = (unsigned char)(bits >> (8 * i));
    add_block(hash, last);
    if (size > BLOCK_BYTES)
        add_block(hash, last + BLOCK_BYTES);
    for (size_t i = 0; i < SHA256_BYTES; ++i)
        digest[i] = (unsigned char)(hash[i / 4] >> (24 - 8 * (i % 4)));
}
