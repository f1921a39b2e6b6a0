package io.daosmesh.console.guard;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "jaas:user-add bob hunter2",
                "jaas:user-add 'bob smith' 'hunter2'",
                "user-add bob hunter2; jaas:update",
                "ssh:ssh -P hunter2 bob@host",
                "ssh:ssh --password hunter2 host",
                "ssh:ssh --password=hunter2 host",
                "config:property-set my.password hunter2",
                "config:property-set -p some.pid apiToken \"hunter2 and more\"",
                "password=hunter2",
                "x.secret = 'hunter2'"
            })
    void shouldMaskWhatIsSecret(String line) {
        String masked = Secrets.mask(line);

        assertFalse(masked.contains("hunter2"), masked);
        assertTrue(masked.contains("***"), masked);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "bundle:update io.daosmesh.nvme-spdk",
                "bundle:install -s mvn:io.daosmesh/nvme-spdk/1.0",
                "jaas:user-add bob",
                "log:set DEBUG io.daosmesh.console"
            })
    void shouldKeepTheRest(String line) {
        assertEquals(line, Secrets.mask(line));
    }

    @Test
    void shouldEscapeWhatForgesLinesAndEnd() {
        assertEquals("a\\u000ab\\u001b[0m \\\"x\\\" \\u202e", Escapes.escape("a\nb\u001b[0m \"x\" \u202e"));
        assertTrue(Escapes.escape("x".repeat(100_000)).length() < Escapes.LENGTH_MAX + 100);
    }
}
