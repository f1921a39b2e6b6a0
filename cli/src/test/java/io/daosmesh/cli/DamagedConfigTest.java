package io.daosmesh.cli;

import io.daosmesh.cli.agent.AgentConfig;
import io.daosmesh.cli.dmg.DmgConfig;
import io.daosmesh.model.fuzz.Fuzz;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Configuration files of the tools that are damaged, or made to cost more than they are worth. */
@Tag("fuzz")
class DamagedConfigTest {
    private static final String TLS = """
            transport_config:
              ca_cert: /c/daosCA.crt
              cert: /c/one.crt
              key: /c/one.key
              crl: /c/daosCA.crl
              data_channel: clear
            """;

    private static final String CONTROL = """
            name: daos_server
            port: 10001
            hostlist: ["h[1-3]", h7:10003]
            """ + TLS;

    private static final String AGENT = """
            name: daos_server
            access_points: [h1, h2:10002]
            runtime_dir: /run/daos_agent
            log_file: /tmp/agent.log
            control_log_mask: INFO
            disable_auto_evict: true
            cache_expiration: 30
            credential_config:
              cache_expiration: 10m
              client_user_map:
                default:
                  user: nobody
                  group: nobody
                1000:
                  user: alice
                  group: staff
                  groups: [a, b]
            """ + TLS;

    private static final String[] WORDS = {
        "&a ",
        "*a",
        "- ",
        ": ",
        "{",
        "[",
        "? ",
        "!!int ",
        "!!binary ",
        "---\n",
        "\n",
        "<<: *a",
        "|",
        "~",
        "1e999999999",
        "-1",
        "99999999999",
        "[1-999999999]",
        "[1-9,1-9][1-9]",
        "0x7f",
        "\0",
        "\t",
        "%",
        "é"
    };

    @TempDir
    Path folder;

    private Path file(byte[] content) throws Exception {
        return Files.write(folder.resolve("config.yml"), content);
    }

    private void readAll(byte[] content) throws Exception {
        Path file = file(content);
        for (Fuzz.Reader r :
                new Fuzz.Reader[] {f -> DmgConfig.read(file), f -> DaosConfig.read(file), f -> AgentConfig.read(file)})
            Fuzz.check("configuration", content, r);
    }

    @Test
    void shouldNameWhatIsWrongForDmg() throws Exception {
        Fuzz.of("daos_control.yml").good(CONTROL).words(WORDS).run(in -> DmgConfig.read(file(in)));
    }

    @Test
    void shouldNameWhatIsWrongForDaos() throws Exception {
        Fuzz.of("daos_agent.yml").good(AGENT).words(WORDS).run(in -> DaosConfig.read(file(in)));
    }

    @Test
    void shouldNameWhatIsWrongForTheAgent() throws Exception {
        Fuzz.of("daos_agent.yml of the daemon").good(AGENT).words(WORDS).run(in -> AgentConfig.read(file(in)));
    }

    @Test
    void shouldEndSoonForWhatNestsOrRepeats() throws Exception {
        StringBuilder laughs = new StringBuilder("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++) {
            String all = String.join(", ", Collections.nCopies(9, "*a" + (i - 1)));
            laughs.append("a")
                    .append(i)
                    .append(": &a")
                    .append(i)
                    .append(" [")
                    .append(all)
                    .append("]\n");
        }
        for (String text : new String[] {
            laughs.toString(),
            "name: " + "[".repeat(60_000),
            "{a: ".repeat(20_000),
            "- ".repeat(20_000),
            "name: &a [*a]",
            "hostlist: h[1-999999999]",
            "access_points: ['h[1-999999999]']",
            "hostlist: ['h" + "[1-99]".repeat(20) + "']",
            "name: \0"
        }) {
            readAll(text.getBytes(StandardCharsets.UTF_8));
        }
    }
}
