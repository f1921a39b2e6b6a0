package io.daosmesh.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.yaml.snakeyaml.error.YAMLException;

class PlainYamlTest {
    @Test
    void shouldReadMapsListsTextsNumbersAndTruth() {
        Object tree = PlainYaml.read("""
                # a comment
                name: daos_server
                port: 10001
                hostlist: ['st[1-3]', st4:10002]
                more:
                - {a: true, b: no}
                - ~
                """);

        assertEquals(
                Map.of(
                        "name",
                        "daos_server",
                        "port",
                        10001,
                        "hostlist",
                        List.of("st[1-3]", "st4:10002"),
                        "more",
                        Arrays.asList(Map.of("a", true, "b", false), null)),
                tree);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "---\n", "~"})
    void shouldReadNothingFromNothing(String text) {
        assertNull(PlainYaml.read(text));
    }

    @ParameterizedTest
    @CsvSource({"010001", "0x2711", "99999999999", "1.5", "2026-11-27", "'1:30'"})
    void shouldLeaveOtherScalarsAsTheyAre(String text) {
        assertEquals(text, PlainYaml.read(text));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{a: 1, a: 2} | duplicate key a",
                "&x [*x] | nested too deep",
                "[[[[[[[[[[[[1]]]]]]]]]]]] | nested too deep",
                "[1, 2 | expected ',' or ']'",
                "*nobody | undefined alias"
            })
    void shouldRefuseWhatIsNoPlainDocument(String text, String error) {
        YAMLException e = assertThrows(YAMLException.class, () -> PlainYaml.read(text));

        assertTrue(String.valueOf(e.getMessage()).contains(error), e.getMessage());
    }
}
