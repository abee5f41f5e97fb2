/* Where things live: XDG, its fallbacks, --home, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "paths.h"

static void set(const char *name, const char *value)
{
    assert_int_equal(value == NULL ? unsetenv(name) : setenv(name, value, 1), 0);
}

static void set_env(
    const char *home, const char *data, const char *config, const char *state, const char *runtime)
{
    set("HOME", home);
    set("XDG_DATA_HOME", data);
    set("XDG_CONFIG_HOME", config);
    set("XDG_STATE_HOME", state);
    set("XDG_RUNTIME_DIR", runtime);
}

static void without_xdg_variables_things_live_below_home(void **state)
{
    (void)state;
    struct al_paths p;
    set_env("/home/kai", NULL, NULL, NULL, NULL);
    assert_int_equal(al_paths_init(&p, NULL), 0);
    assert_string_equal(p.data, "/home/kai/.local/share/aloud");
    assert_string_equal(p.config, "/home/kai/.config/aloud");
    assert_string_equal(p.config_file, "/home/kai/.config/aloud/config");
    assert_string_equal(p.state, "/home/kai/.local/state/aloud");
    assert_string_equal(p.keys, "/home/kai/.local/share/aloud/keys");
    assert_string_equal(p.log_db, "/home/kai/.local/share/aloud/log.db");
    assert_string_equal(p.views_db, "/home/kai/.local/share/aloud/views.db");
    assert_string_equal(p.runtime, "/home/kai/.local/share/aloud");
    assert_string_equal(p.socket, "/home/kai/.local/share/aloud/socket");
}

static void xdg_variables_decide_unless_they_are_relative(void **state)
{
    (void)state;
    struct al_paths p;
    set_env("/home/kai", "/d/", "relative", "", "/run/user/1000");
    assert_int_equal(al_paths_init(&p, NULL), 0);
    assert_string_equal(p.data, "/d/aloud");
    assert_string_equal(p.config, "/home/kai/.config/aloud");
    assert_string_equal(p.state, "/home/kai/.local/state/aloud");
    assert_string_equal(p.runtime, "/run/user/1000/aloud");
    assert_string_equal(p.socket, "/run/user/1000/aloud/socket");
}

static void home_option_holds_everything_and_asks_for_no_variable(void **state)
{
    (void)state;
    struct al_paths p;
    set_env(NULL, "/d", NULL, NULL, "/run/user/1000");
    assert_int_equal(al_paths_init(&p, "/srv/a//"), 0);
    assert_string_equal(p.data, "/srv/a");
    assert_string_equal(p.config_file, "/srv/a/config");
    assert_string_equal(p.state, "/srv/a/state");
    assert_string_equal(p.socket, "/srv/a/socket");
    assert_string_equal(p.keys, "/srv/a/keys");

    assert_int_equal(chdir("/usr"), 0);
    assert_int_equal(al_paths_init(&p, "here"), 0);
    assert_string_equal(p.data, "/usr/here");
}

static void a_missing_home_and_too_long_paths_are_refused_by_name(void **state)
{
    (void)state;
    struct al_paths p;
    set_env(NULL, NULL, NULL, NULL, NULL);
    assert_int_equal(al_paths_init(&p, NULL), AL_E_PATH);
    assert_int_equal(al_paths_init(&p, ""), AL_E_PATH);
    set_env("not/absolute", NULL, NULL, NULL, NULL);
    assert_int_equal(al_paths_init(&p, NULL), AL_E_PATH);

    char dir[AL_PATH_BYTES + 8];
    memset(dir, 'x', sizeof(dir));
    dir[0] = '/';
    dir[100] = '\0'; /* 100 + "/socket" = 107 bytes */
    assert_int_equal(al_paths_init(&p, dir), 0);
    assert_int_equal(strlen(p.socket), 107);
    dir[100] = 'x';
    dir[101] = '\0';
    assert_int_equal(al_paths_init(&p, dir), AL_E_SOCKET_PATH);
    dir[101] = 'x';
    dir[AL_PATH_BYTES + 7] = '\0';
    assert_int_equal(al_paths_init(&p, dir), AL_E_PATH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_xdg_variables_things_live_below_home),
        cmocka_unit_test(xdg_variables_decide_unless_they_are_relative),
        cmocka_unit_test(home_option_holds_everything_and_asks_for_no_variable),
        cmocka_unit_test(a_missing_home_and_too_long_paths_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
