package io.daosmesh.cli.start;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.encoder.PatternLayoutEncoder;
import ch.qos.logback.classic.spi.LoggingEvent;
import ch.qos.logback.classic.util.LogbackMDCAdapter;
import io.daosmesh.model.text.Printable;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What a peer has sent stands in a log line and begins none. */
class LogTextTest {
    private static final String FORGED = "&&& RAS EVENT id: [engine_died] msg: [forged]";
    private static final List<String> HOSTILE = List.of(
            "a\n" + FORGED,
            "a\r\n" + FORGED,
            "a\r" + FORGED,
            "a\n\n" + FORGED,
            "a\u0085" + FORGED,
            "a\u2028" + FORGED,
            "a\n2026-01-01T00:00:00.000Z INFO  [x] y " + FORGED,
            "\u001b[2J\u009b1A\u202e\u0000\u0007\u200b" + FORGED);

    private String nodePattern = "";

    @BeforeEach
    void readTheNodesPattern() throws Exception {
        String xml = Files.readString(Path.of("../karaf-assembly/src/main/karaf/assembly/etc/logback.xml"));
        Matcher pattern = Pattern.compile("<pattern>(.*)</pattern>").matcher(xml);
        assertTrue(pattern.find());
        nodePattern = pattern.group(1).replace("&amp;", "&");
    }

    private String log(String message, Throwable error) {
        LoggerContext context = new LoggerContext();
        context.setMDCAdapter(new LogbackMDCAdapter());
        PatternLayoutEncoder encoder = new PatternLayoutEncoder();
        encoder.setContext(context);
        encoder.setPattern(nodePattern);
        encoder.start();
        Logger logger = context.getLogger("io.daosmesh.Name");
        LoggingEvent event = new LoggingEvent("x", logger, Level.WARN, "from {}", error, new Object[] {message});
        String text = new String(encoder.encode(event), StandardCharsets.UTF_8);
        assertEquals(
                List.of(),
                context.getStatusManager().getCopyOfStatusList().stream()
                        .filter(s -> s.getLevel() > ch.qos.logback.core.status.Status.INFO)
                        .toList());
        return text;
    }

    private static void check(String text) {
        assertTrue(text.codePoints().allMatch(c -> Printable.isPlain(c) || c == '\n' || c == '\t'), text);
        assertFalse(text.lines().anyMatch(line -> line.startsWith("&&&")), text);
        assertEquals(1, text.lines().filter(line -> line.matches("\\d{4}-.*")).count(), text);
    }

    @Test
    void shouldWriteTheSameInNodesAndTools() {
        assertTrue(nodePattern.endsWith(LogText.PATTERN), nodePattern);
    }

    @Test
    void shouldKeepAMessageOnItsLine() {
        for (String message : HOSTILE) {
            String text = log(message, null);

            check(text);
            assertEquals(1, text.lines().count(), text);
            assertTrue(text.endsWith("\n") && text.contains(FORGED), text);
        }
        assertTrue(log("a\nb", null).endsWith("from a\\nb\n"));
        assertTrue(log("é日本 \\ $1", null).endsWith("from é日本 \\ $1\n"));
    }

    @Test
    void shouldKeepStackTracesReadableAndTheirMessagesOnTheirLines() {
        for (String message : HOSTILE) {
            Exception error = new IllegalStateException(message, new IllegalArgumentException(message));
            error.addSuppressed(new IllegalArgumentException(message));

            String text = log("x", error);

            check(text);
            for (String line : text.lines().skip(2).toList()) {
                assertTrue(line.matches("\t+(at |\\.\\.\\. |Suppressed: |Caused by: ).*|Caused by: .*"), line);
            }
            assertTrue(text.lines().filter(l -> l.startsWith("\tat ")).count() > 3, text);
            assertTrue(text.contains("\nCaused by: java.lang.IllegalArgumentException: "), text);
        }
    }
}
