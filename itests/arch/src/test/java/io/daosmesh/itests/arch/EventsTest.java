package io.daosmesh.itests.arch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every event is raised by something, told of in a test and described in docs/events.md. */
class EventsTest {
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `([a-z_]+)` \\| (.*) \\|$");
    private static final Pattern ID = Pattern.compile("(?m)^    ([A-Z_]+)\\(Type\\.([A-Z_]+)\\)[,;]$");
    private static final String ENUM = "RasId.java";

    /** Names in upper case, with the type. */
    private static Map<String, String> ids() {
        Path file = Project.root().resolve("bundles/model/src/main/java/io/daosmesh/model/ras/" + ENUM);
        return table(ID.matcher(Project.read(file)));
    }

    /** Ids with the other cells. */
    private static Map<String, String> rows() {
        return table(ROW.matcher(Project.read(Project.root().resolve("docs/events.md"))));
    }

    private static Map<String, String> table(Matcher rows) {
        Map<String, String> found = new TreeMap<>();
        while (rows.find()) found.put(rows.group(1), rows.group(2));
        return found;
    }

    private static String shipped() {
        return Project.modules().stream()
                .flatMap(m -> Project.sources(m.folder().resolve("src/main/java")).stream())
                .filter(file -> !file.endsWith(ENUM))
                .map(Project::read)
                .filter(text -> text.contains("RasId."))
                .collect(Collectors.joining());
    }

    @Test
    void shouldBeRaisedBySomething() {
        String text = shipped();

        List<String> silent = ids().keySet().stream()
                .filter(id ->
                        !Pattern.compile("RasId\\." + id + "\\b").matcher(text).find())
                .toList();

        assertEquals(List.of(), silent);
        assertNotEquals(Map.of(), ids());
    }

    @Test
    void shouldBeDescribedWithItsType() {
        Map<String, String> rows = rows();

        List<String> wrong = ids().entrySet().stream()
                .filter(id -> !rows.getOrDefault(id.getKey().toLowerCase(Locale.ROOT), "")
                        .startsWith(id.getValue() + " |"))
                .map(Map.Entry::getKey)
                .toList();

        assertEquals(List.of(), wrong);
    }

    /** The list of the administration guide and of later releases: raised here, or said why it cannot be. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "engine_format_required",
                "engine_died",
                "engine_asserted",
                "engine_clock_drift",
                "engine_join_failed",
                "engine_suicide",
                "pool_corruption_detected",
                "pool_destroy_deferred",
                "pool_rebuild_started",
                "pool_rebuild_finished",
                "pool_rebuild_failed",
                "pool_replicas_updated",
                "pool_durable_format_incompat",
                "container_durable_format_incompat",
                "rdb_durable_format_incompatible",
                "swim_rank_alive",
                "swim_rank_dead",
                "system_start_failed",
                "system_stop_failed",
                "system_fabric_provider_changed",
                "device_set_faulty",
                "device_media_error",
                "device_unplugged",
                "device_plugged",
                "device_replace",
                "device_link_speed_changed",
                "device_link_width_changed"
            })
    void shouldBeRaisedOrSaidWhyNot(String id) {
        String row = rows().getOrDefault(id, "");
        boolean isRaised = ids().containsKey(id.toUpperCase(Locale.ROOT));

        assertTrue(!row.isEmpty(), "docs/events.md does not know " + id);
        boolean isSaidToBe = Stream.of("STATE_CHANGE |", "INFO_ONLY |").anyMatch(row::startsWith);
        assertEquals(isRaised, isSaidToBe, id + ": " + row);
    }
}
