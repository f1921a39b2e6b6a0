package io.daosmesh.control.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RankIdentity;
import io.daosmesh.model.ras.RasId;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EngineLivesTest {
    @TempDir
    Path dir;

    private final List<Map<String, String>> told = new ArrayList<>();

    private EngineLives process(String name) {
        NodeConfig config = new NodeConfig(
                "s",
                "127.0.0.1:1",
                "127.0.0.1",
                1,
                List.of("127.0.0.1:1"),
                "/n",
                0,
                dir.resolve("meta"),
                new NodeConfig.Tls(true, false, Optional.empty(), Optional.empty(), Optional.empty()),
                List.of());
        return new EngineLives(
                config,
                (id, severity, message, fields) -> {
                    assertEquals(RasId.ENGINE_DIED, id);
                    assertTrue(message.startsWith("DAOS engine 0 exited unexpectedly: process "), message);
                    told.add(fields);
                },
                name);
    }

    private static RankIdentity rank(long incarnation) {
        return new RankIdentity(0, 3, new UUID(1, 1), "127.0.0.1:1", "/n", 1, incarnation);
    }

    @Test
    void shouldTellOfAProcessThatWasKilled() {
        process("41/1000").begin(rank(0xab));

        process("42/2000").begin(rank(0xcd));

        assertEquals(1, told.size());
        assertEquals("3", told.get(0).get("rank"));
        assertEquals("ab", told.get(0).get("inc"));
        assertEquals("41", told.get(0).get("pid"));
    }

    @Test
    void shouldSayNothingAfterAnOrderlyStopAndAfterAnUpdateOfTheBundle() {
        EngineLives first = process("41/1000");
        first.begin(rank(1));
        first.end(rank(1));

        process("42/2000").begin(rank(2));
        process("42/2000").begin(rank(3));

        assertEquals(List.of(), told);
    }
}
