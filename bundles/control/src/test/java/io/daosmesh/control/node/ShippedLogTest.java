package io.daosmesh.control.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import ch.qos.logback.core.joran.spi.JoranException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log as it is shipped, with levels that masks set: what is in the file then. */
class ShippedLogTest {
    @TempDir
    Path dir;

    private final LoggerContext context = new LoggerContext();

    @BeforeEach
    void start() throws JoranException {
        context.setMDCAdapter(new LogbackMDCAdapter());
        context.putProperty("karaf.log", dir.toString());
        JoranConfigurator configurator = new JoranConfigurator();
        configurator.setContext(context);
        configurator.doConfigure(Path.of("../../karaf-assembly/src/main/karaf/assembly/etc/logback.xml")
                .toFile());
    }

    @AfterEach
    void stop() {
        context.stop();
    }

    private void set(String masks, String streams, String subsystems) {
        LogMasks.loggers().forEach(l -> context.getLogger(l).setLevel(null));
        LogMasks.parse(masks, streams, subsystems)
                .forEach((logger, level) -> context.getLogger(logger).setLevel(Level.valueOf(level)));
    }

    private void debug(String logger, String text) {
        context.getLogger(logger).debug("{}", text);
    }

    private String log() throws IOException {
        return Files.readString(dir.resolve("node.log"));
    }

    @Test
    void shouldHoldDebugLinesFromWhenAMaskAsksForThemUntilTheReset() throws IOException {
        debug("io.daosmesh.management.node.X", "before");
        set("ERR,mgmt=DEBUG", "", "");
        debug("io.daosmesh.management.node.X", "while");
        debug("io.daosmesh.engine.runtime.X", "another facility");
        context.getLogger("io.daosmesh.engine.runtime.X").warn("below ERR");
        set("INFO", "", "");
        debug("io.daosmesh.management.node.X", "after");

        assertEquals(1, log().lines().filter(l -> l.contains(" DEBUG [")).count(), log());
        assertTrue(log().contains("while"));
        assertFalse(log().contains("below ERR"));
    }

    @Test
    void shouldHoldDebugLinesOfTheChosenStreamsOnly() throws IOException {
        set("DEBUG", "net", "");
        debug("io.daosmesh.transport.X", "network");
        debug("io.daosmesh.engine.runtime.X", "engine");

        assertTrue(log().contains("network"));
        assertFalse(log().contains("engine"));
    }

    @Test
    void shouldBeBoundedInSize() throws IOException {
        String line = "x".repeat(64 << 10);
        long endNs = System.nanoTime() + 60_000_000_000L;
        while (!Files.exists(dir.resolve("node.1.log")) && System.nanoTime() < endNs)
            context.getLogger("io.daosmesh.X").info("{}", line);

        assertTrue(Files.exists(dir.resolve("node.1.log")));
    }
}
