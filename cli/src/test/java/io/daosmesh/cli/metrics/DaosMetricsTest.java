package io.daosmesh.cli.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.cli.server.ServerFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** daos_metrics before a page of two engines. */
class DaosMetricsTest {
    private static final String PAGE = """
            # HELP engine_rank Rank of this engine
            # TYPE engine_rank gauge
            engine_rank{rank="5"} 5.0
            engine_rank{rank="3"} 3.0
            # TYPE engine_index gauge
            engine_index{rank="5"} 0.0
            engine_index{rank="3"} 1.0
            # HELP engine_started_at Start, seconds
            # TYPE engine_started_at gauge
            engine_started_at{rank="5"} 1.7000000005E9
            # HELP engine_pool_ops_update Updates, all
            # TYPE engine_pool_ops_update counter
            engine_pool_ops_update{pool="u-1",rank="5",target="1"} 12.0
            engine_pool_ops_update{pool="u-1",rank="3",target="1"} 99.0
            # HELP engine_io_latency_update Latency
            # TYPE engine_io_latency_update gauge
            engine_io_latency_update{rank="5",size="4KB",target="0"} 40.5
            engine_io_latency_update_min{rank="5",size="4KB",target="0"} 10.0
            engine_io_latency_update_max{rank="5",size="4KB",target="0"} 90.0
            engine_io_latency_update_mean{rank="5",size="4KB",target="0"} 20.0
            engine_io_latency_update_stddev{rank="5",size="4KB",target="0"} 1.5
            # TYPE engine_io_latency_update_samples counter
            engine_io_latency_update_samples{rank="5",size="4KB",target="0"} 4.0
            # TYPE engine_net_req_sent counter
            engine_net_req_sent 7.0
            """;

    @TempDir
    Path folder;

    private Path config;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Long> pauses = new ArrayList<>();

    @BeforeEach
    void write() throws IOException {
        config = Files.writeString(folder.resolve("daos_server.yml"), "telemetry_port: 9191\nbind_address: 0.0.0.0\n");
    }

    private int run(String... words) {
        DaosMetrics.Source source = new DaosMetrics.Source() {
            @Override
            public String page(ServerFile file) {
                assertEquals("127.0.0.1:9191", file.metricsAddress());
                return PAGE;
            }

            @Override
            public void pause(long seconds) {
                pauses.add(seconds);
            }
        };
        String[] all = new String[words.length + 2];
        System.arraycopy(words, 0, all, 0, words.length);
        all[words.length] = "-o";
        all[words.length + 1] = config.toString();
        out.reset();
        err.reset();
        return DaosMetrics.run(
                new DaosMetrics(
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        source),
                all);
    }

    private String text() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldShowTheTreeOfTheFirstEngine() {
        assertEquals(0, run());

        assertEquals("""
                ID: 0
                    index: 0
                    io
                        latency
                            update
                                4KB
                                    tgt_0: 40.5 us [min: 10, max: 90, avg: 20, sum: 80, stddev: 1.5, samples: 4]
                    net
                        req
                            sent: 7
                    pool
                        u-1
                            ops
                                update
                                    tgt_1: 12
                    rank: 5
                    started
                        at: 1700000000.5 s
                """.replace("    started\n        at: 1700000000.5 s", "    started_at: 1700000000.5 s"), text());
    }

    @Test
    void shouldWriteCsvWithMetaAndType() {
        assertEquals(0, run("-C", "-M", "-T", "-p", "io"));
        assertEquals(
                "name,type,value,min,max,mean,sample_size,sum,std_dev,description,units\n"
                        + "io/latency/update/4KB/tgt_0,duration,40.5,10,90,20,4,80,1.5,Latency,us\n",
                text());
        assertEquals(0, run("--csv", "--meta", "-c", "-p", "pool"));
        assertTrue(text().endsWith("\npool/u-1/ops/update/tgt_1,12,,,,,,,\"Updates, all\",\n"), text());
    }

    @Test
    void shouldFilterByTypeAndEngine() {
        assertEquals(0, run("-t"));
        assertEquals("ID: 0\n    started_at: 1700000000.5 s\n", text());
        assertEquals(0, run("-s"));
        assertEquals("ID: 0\n", text());
        assertEquals(0, run("--srv_idx", "1", "-c"));
        assertTrue(text().contains("tgt_1: 99"), text());
        assertFalse(text().contains("rank"), text());
    }

    @Test
    void shouldRepeatWithPauses() {
        assertEquals(0, run("-i", "3", "-D", "2", "-g"));

        assertEquals(List.of(2L, 2L), pauses);
        assertEquals(3, text().split("ID: 0", -1).length - 1);
    }

    @Test
    void shouldNameWhatIsWrong() throws IOException {
        assertEquals(1, run("-S", "2"));
        assertTrue(err.toString().contains("runs no engine 2"), err.toString());
        assertTrue(err.toString().contains("[3, 5]"), err.toString());
        assertEquals(1, run("-p", "nowhere"));
        assertEquals(1, run("-i", "-1"));
        assertEquals(1, run("--csw"));
        Files.writeString(config, "port: 10001\n");
        assertEquals(1, run());
        assertTrue(err.toString().contains("telemetry_port"), err.toString());
    }
}
