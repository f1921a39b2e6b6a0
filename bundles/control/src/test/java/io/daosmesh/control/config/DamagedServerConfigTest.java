package io.daosmesh.control.config;

import io.daosmesh.model.fuzz.Fuzz;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A daos_server.yml that is damaged, or made to cost more than it is worth. */
@Tag("fuzz")
class DamagedServerConfigTest {
    @TempDir
    Path folder;

    private void read(byte[] content) throws Exception {
        ServerConfig.read(Files.write(folder.resolve("daos_server.yml"), content));
    }

    @Test
    void shouldNameWhatIsWrong() throws Exception {
        Fuzz.of("daos_server.yml")
                .good(ServerConfigTest.GOOD)
                .words(
                        "&a ",
                        "*a",
                        "- ",
                        ": ",
                        "{",
                        "[",
                        "? ",
                        "!!float ",
                        "!!binary ",
                        "---\n",
                        "\n",
                        "<<: *a",
                        "|",
                        "\"",
                        "~",
                        "1e999999999",
                        "-1",
                        "9223372036854775808",
                        "\0",
                        "\t",
                        "é")
                .run(this::read);
    }

    @Test
    void shouldEndSoonForWhatNestsOrRepeats() throws Exception {
        StringBuilder laughs = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) {
            String one = "*a" + (i - 1);
            laughs.append("a").append(i).append(": &a").append(i).append(" [");
            laughs.append(String.join(", ", java.util.Collections.nCopies(9, one)))
                    .append("]\n");
        }
        for (String text : new String[] {
            laughs.toString(),
            "name: " + "[".repeat(60_000),
            "{a: ".repeat(20_000),
            "- ".repeat(20_000),
            "name: &a [*a]",
            "port: 1e999999999",
            "engines:\n- targets: 2\n  scm_class: ram\n  scm_size: 1e999999999\n",
            "name: \0"
        }) {
            Fuzz.check("daos_server.yml", text.getBytes(StandardCharsets.UTF_8), this::read);
        }
    }
}
