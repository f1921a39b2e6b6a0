package io.daosmesh.transport;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.RpcMethod;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** docs/protocol.md against the code. */
class ProtocolPageTest {
    private static final Path PAGE = Path.of("..", "..", "docs", "protocol.md");
    private static final Path MESSAGES = Path.of("..", "model", "src", "main", "protobuf");

    private static List<String> rows() throws IOException {
        return Files.readAllLines(PAGE).stream()
                .filter(l -> l.matches("\\| \\d+ \\|.*"))
                .toList();
    }

    @Test
    void shouldDescribeEveryRpcWithNumberModelAndRoles() throws IOException {
        List<String> expected = Arrays.stream(RpcMethod.values())
                .map(m -> "| " + m.number() + " | " + m + " | " + m.kind() + " | " + roles(m) + " |")
                .toList();

        List<String> described = rows().stream()
                .map(l -> l.replaceFirst("(\\|(?: [^|]+ \\|){4}).*", "$1"))
                .toList();

        assertEquals(expected, described);
    }

    @Test
    void shouldNameOnlyMessagesThatExist() throws IOException {
        StringBuilder all = new StringBuilder();
        try (var files = Files.list(MESSAGES)) {
            for (Path f : files.toList()) all.append(Files.readString(f));
        }
        for (String row : rows()) {
            String[] cells = row.split("\\|");
            for (String cell : List.of(cells[5], cells[6])) {
                Matcher m = Pattern.compile("[A-Z][A-Za-z]+").matcher(cell);
                while (m.find()) assertTrue(all.indexOf("message " + m.group() + " {") >= 0, row);
            }
        }
    }

    private static String roles(RpcMethod m) {
        return Arrays.stream(Role.values())
                .filter(m.roles()::contains)
                .map(r -> r.name().toLowerCase(Locale.ROOT))
                .reduce((a, b) -> a + " " + b)
                .orElseThrow();
    }
}
