package io.daosmesh.console.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PlainLineTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "bundle:list -t 0 -l",
                "daos:drivers -j\n",
                "daos:devices | grep 'State: (NORMAL|FAULTY) $5'",
                "bundle:update io.daosmesh.nvme-spdk",
                "bundle:install -s mvn:io.daosmesh/nvme-spdk/0.1.0-SNAPSHOT",
                "log:display; bundle:list",
                "*:help bundle:list",
                "daos:pool-query \"my pool\"",
                ""
            })
    void shouldTakeCommandsWordsAndPipes(String line) {
        assertTrue(PlainLine.of(line).isPlain(), line);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "$.context bundle 0",
                "echo $USER",
                "echo \"$USER\"",
                "echo ${x}",
                "echo $(shell:exec id)",
                "(bundle:list)",
                "f = { f | f }",
                "x=aaaa",
                "x = 1",
                "echo hi > file",
                "echo hi >> file",
                "grep x < /etc/passwd",
                "sleep 1 &",
                "a && b",
                "a || { b }",
                "each [1 2] { echo 1 }",
                "echo `id`",
                "echo \"`id`\"",
                "echo \\$x",
                "echo 'a\\'",
                "echo 'not closed",
                "echo \"not closed",
                "%(1+1)",
                "echo ~",
                "# comment",
                "echo 'line\nbreak'",
                "echo \u0007",
                "echo \u00e4"
            })
    void shouldRefuseTheLanguageOfTheShell(String line) {
        assertFalse(PlainLine.of(line).isPlain(), line);
    }

    @Test
    void shouldSplitIntoCommandsAndWords() {
        PlainLine line = PlainLine.of("bundle:list -t 0|grep 'a; b'\ndate");

        assertEquals(
                List.of(List.of("bundle:list", "-t", "0"), List.of("grep", "a; b"), List.of("date")), line.commands());
    }

    @Test
    void shouldRefuseLongLinesAndManyCommands() {
        assertFalse(PlainLine.of("a".repeat(PlainLine.LENGTH_MAX + 1)).isPlain());
        assertTrue(PlainLine.of("a|".repeat(PlainLine.COMMANDS_MAX)).isPlain());
        assertFalse(PlainLine.of("a|".repeat(PlainLine.COMMANDS_MAX + 1)).isPlain());
    }
}
