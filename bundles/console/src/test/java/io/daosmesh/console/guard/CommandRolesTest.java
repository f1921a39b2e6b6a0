package io.daosmesh.console.guard;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandRolesTest {
    private static final CommandRoles ROLES = new CommandRoles(Map.of(
            "bundle",
            Map.of(
                    "list", "viewer, manager, admin",
                    "update[/x/]", "manager",
                    "start-level[/x/]", "viewer",
                    "start-level", "admin"),
            "feature",
            Map.of("list", "viewer,admin", "update", "admin"),
            "shell",
            Map.of("grep[/x/]", "viewer", "echo", "viewer")));

    @ParameterizedTest
    @ValueSource(strings = {"bundle:list", "list -t 0", "bundle:list | grep x", "echo x; feature:list"})
    void shouldKnowWhatOnlyLooks(String line) {
        assertTrue(ROLES.onlyLooks(PlainLine.of(line)), line);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bundle:update x",
                "update x",
                "bundle:list; bundle:update x",
                "unknown",
                "other:list",
                "bundle:start-level x 50",
                "bundle:list > file",
                "{ bundle:list }"
            })
    void shouldTakeEverythingElseForAChange(String line) {
        assertFalse(ROLES.onlyLooks(PlainLine.of(line)), line);
    }
}
