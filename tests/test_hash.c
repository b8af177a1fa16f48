/* test_hash.c - SHA-256 as the standard has it, whatever the processor computes it with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "hash.h"

#include <string.h>

enum { LENGTHS = 301 };

static void fill(uint8_t *bytes, int count)
{
    for (int i = 0; i < count; i++)
        bytes[i] = (uint8_t)((i * 7 + 3) % 251);
}

static void examples_of_the_standard_have_its_hashes(void **state)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
        { "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
        { "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
          "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    };
    char hex[HASH_HEX_SIZE], block[1000];
    struct hash_state hash;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        hash_hex(hex, cases[i].text, strlen(cases[i].text));
        assert_string_equal(hex, cases[i].hex);
    }
    memset(block, 'a', sizeof block); /* a million of them */
    hash_init(&hash);
    for (int i = 0; i < 1000; i++)
        hash_add(&hash, block, sizeof block);
    hash_final_hex(&hash, hex);
    assert_string_equal(hex,
                        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

/* The expected hash, of all hashes one after the other, is by another implementation. */
static void every_length_has_its_hash(void **state)
{
    uint8_t bytes[LENGTHS];
    char hex[HASH_HEX_SIZE];
    struct hash_state all;

    (void)state;
    fill(bytes, LENGTHS);
    hash_init(&all);
    for (size_t length = 0; length < LENGTHS; length++) {
        hash_hex(hex, bytes, length);
        hash_add(&all, hex, HASH_HEX_SIZE - 1);
    }
    hash_final_hex(&all, hex);
    assert_string_equal(hex,
                        "d6b1da27fe7815284e7db54a61063f2e279778c678c2d01fa4c25118bee39570");
}

static void pieces_have_the_hash_of_the_whole(void **state)
{
    uint8_t bytes[LENGTHS];
    char whole[HASH_HEX_SIZE], hex[HASH_HEX_SIZE];

    (void)state;
    fill(bytes, LENGTHS);
    hash_hex(whole, bytes, LENGTHS);
    for (size_t first = 0; first <= LENGTHS; first++) {
        size_t second = (LENGTHS - first) / 3;
        struct hash_state hash;
        hash_init(&hash);
        hash_add(&hash, bytes, first);
        hash_add(&hash, bytes + first, second);
        hash_add(&hash, bytes + first + second, LENGTHS - first - second);
        hash_final_hex(&hash, hex);
        assert_string_equal(hex, whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(examples_of_the_standard_have_its_hashes),
        cmocka_unit_test(every_length_has_its_hash),
        cmocka_unit_test(pieces_have_the_hash_of_the_whole),
    };

    return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
