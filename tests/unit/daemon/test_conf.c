/* The configuration file: what counts, and that every mistake is named with its line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "conf.h"

static char path[] = "/tmp/aloud-conf-XXXXXX";

/* Read |text| as a file. */
static int read_text(struct al_conf *conf, char why[AL_CONF_WHY], const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    al_conf_init(conf);
    return al_conf_read(conf, why, path);
}

static void every_key_reaches_the_struct(void **state)
{
    (void)state;
    struct al_conf conf;
    char why[AL_CONF_WHY];
    assert_int_equal(read_text(&conf, why,
                         "# a comment\n"
                         "listen = 127.0.0.1:4748\n"
                         "address = home.example.org:4747\n"
                         "address = [2001:db8::1]:4747\n"
                         "network = /etc/aloud/network\n"
                         "\n"
                         "[audience]\n"
                         "default = me\n"
                         "[post]\n"
                         "hold = 30\n"
                         "[attachments]\n"
                         "quota = 300M\n"
                         "[log]\n"
                         "level = debug\n"),
        0);
    assert_string_equal(conf.listen.host, "127.0.0.1");
    assert_int_equal(conf.listen.port, 4748);
    assert_true(conf.listen_given);
    assert_int_equal(conf.address_count, 2);
    assert_string_equal(conf.addresses[1], "[2001:db8::1]:4747");
    assert_string_equal(conf.network_file, "/etc/aloud/network");
    assert_string_equal(conf.audience, "me");
    assert_int_equal(conf.hold_s, 30);
    assert_int_equal(conf.pieces_bytes, UINT64_C(300) << 20);
    assert_int_equal(conf.log_level, LOG_DEBUG);
}

static void without_a_file_the_defaults_count(void **state)
{
    (void)state;
    struct al_conf conf;
    char why[AL_CONF_WHY];
    al_conf_init(&conf);
    assert_int_equal(al_conf_read(&conf, why, "/nonexistent/aloud.conf"), 0);
    assert_int_equal(conf.listen.port, AL_PORT);
    assert_false(conf.listen_given);
    assert_string_equal(conf.audience, "network");
}

static void a_mistake_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *line, *words;
    } cases[] = {
        {"listen = :1\nlistem = :2\n", ":2:", "did you mean 'listen'"},
        {"[log]\nlevl = debug\n", ":2:", "did you mean 'log.level'"},
        {"completely = different\n", ":1:", "unknown key 'completely'; there are listen,"},
        {"listen = example.org:1\n", ":1:", "'example.org:1' is not"},
        {"listen = :70000\n", ":1:", "':70000' is not"},
        {"address = :4747\n", ":1:", "HOST:PORT"},
        {"network = relative\n", ":1:", "absolute path"},
        {"\n[audience]\ndefault = everybody\n", ":3:", "network, me or web"},
        {"\n\njust words\n", ":3:", "KEY = VALUE"},
        {"[log]\nlevel = loud\n", ":2:", "error, warning"},
        {"[post]\nhold = 90000\n", ":2:", "0 to 86400"},
        {"[post]\nhold = -1\n", ":2:", "seconds"},
        {"[attachments]\nquota = 31M\n", ":2:", "from 32M on"},
        {"[attachments]\nquota = 2147483648\n", ":2:", "with K, M, G or T"},
        {"[attachments]\nquota = 2GB\n", ":2:", "size"},
        {"[attachments]\nquota = G\n", ":2:", "size"},
        {"[attachments]\nquota = 99999999999999999999T\n", ":2:", "size"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct al_conf conf;
        char why[AL_CONF_WHY] = "";
        assert_int_equal(read_text(&conf, why, cases[i].text), AL_E_CONFIG);
        assert_ptr_equal(strstr(why, path), why);
        assert_non_null(strstr(why, cases[i].line));
        assert_non_null(strstr(why, cases[i].words));
    }
}

static void a_line_that_the_parser_would_cut_is_refused(void **state)
{
    (void)state;
    struct al_conf conf;
    char why[AL_CONF_WHY];
    char text[600] = "network = /";
    memset(text + strlen(text), 'x', 500);
    assert_int_equal(read_text(&conf, why, text), AL_E_CONFIG);
    assert_non_null(strstr(why, ":1: the line is too long"));
}

static void a_directory_is_no_file(void **state)
{
    (void)state;
    struct al_conf conf;
    char why[AL_CONF_WHY];
    al_conf_init(&conf);
    assert_int_equal(al_conf_read(&conf, why, "/"), AL_E_IO);
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_reaches_the_struct),
        cmocka_unit_test(without_a_file_the_defaults_count),
        cmocka_unit_test(a_mistake_is_named_with_its_line),
        cmocka_unit_test(a_line_that_the_parser_would_cut_is_refused),
        cmocka_unit_test(a_directory_is_no_file),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
