package io.daosmesh.model.ras;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.RasEventMessage;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class RasLineTest {
    private static final Pattern FIELD = Pattern.compile(" (\\w+): \\[([^\\]]*)\\]");
    private static final List<String> FIELDS =
            List.of("hwid", "rank", "inc", "jobid", "pool", "objid", "ctlop", "data");

    /** What a program does that follows the log. */
    private static Map<String, String> parse(String line) {
        assertTrue(line.startsWith("&&& RAS EVENT "), line);
        Matcher field = FIELD.matcher(line);
        Map<String, String> fields = new LinkedHashMap<>();
        int end = "&&& RAS EVENT".length();
        while (field.find()) {
            assertEquals(end, field.start(), line);
            assertEquals(null, fields.put(field.group(1), plain(field.group(2))), line);
            end = field.end();
        }
        assertEquals(line.length(), end, line);
        return fields;
    }

    private static String plain(String escaped) {
        Matcher escape = Pattern.compile("\\\\(?:u([0-9a-f]{4})|(.))").matcher(escaped);
        return escape.replaceAll(m -> Matcher.quoteReplacement(
                m.group(1) != null
                        ? String.valueOf((char) Integer.parseInt(m.group(1), 16))
                        : m.group(2).replace('n', '\n').replace('r', '\r').replace('t', '\t')));
    }

    private static RasEventMessage event(String text) {
        RasEventMessage.Builder event =
                RasEventMessage.newBuilder().setId(text).setHost(text).setMessage(text);
        FIELDS.forEach(name -> event.putFields(name, text));
        return event.build();
    }

    @Test
    void shouldReadBackWhateverTheFieldsHold() {
        List<String> texts = List.of(
                "x] rank: [7",
                "x\n&&& RAS EVENT id: [forged] msg: [y]",
                "\u001b]0;title\u0007",
                "\r\t\u0000\u009b\u202e\u2028",
                "\\u005d \\n \\\\",
                "[]] [",
                "é日本👍",
                "\udb40\udc01");
        for (String text : texts) {
            String line = RasLine.of(event(text), ZoneOffset.UTC);

            assertTrue(Printable.isPlain(line), line);
            Map<String, String> fields = parse(line);
            assertEquals(text, fields.get("id"));
            assertEquals(text, fields.get("host"));
            assertEquals(text, fields.get("msg"));
            FIELDS.forEach(name -> assertEquals(text, fields.get(name)));
        }
    }

    @Test
    void shouldCutBetweenCharacters() {
        Random random = new Random(5);
        String[] parts = {"x", "]", "\n", "\\", "👍", "\udb40\udc01", "\u202e"};
        for (int round = 0; round < 500; round++) {
            StringBuilder text = new StringBuilder();
            while (text.length() < 100 + round % 60) text.append(parts[random.nextInt(parts.length)]);

            Map<String, String> fields = parse(RasLine.of(event(text.toString()), ZoneOffset.UTC));

            String shown = fields.get("msg");
            boolean isCut = shown.endsWith("$");
            String kept = isCut ? shown.substring(0, shown.length() - 1) : shown;
            assertTrue(text.toString().startsWith(kept), shown);
            assertEquals(!isCut, kept.length() == text.length());
            assertTrue(Printable.of(kept).length() <= 128, shown);
        }
    }
}
