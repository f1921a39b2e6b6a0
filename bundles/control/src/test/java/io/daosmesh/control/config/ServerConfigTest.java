package io.daosmesh.control.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.NodeConfig.AutoFaulty;
import io.daosmesh.model.port.TelemetryConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ServerConfigTest {
    static final String GOOD = """
            name: daos_server
            access_points: ["127.0.0.1:10001", "127.0.0.1:10002", "127.0.0.1:10003"]
            port: 10002
            bind_address: 127.0.0.1
            telemetry_port: 9192
            fault_path: /node2
            control_metadata:
              path: "/mesh/node2/scm/control"
            transport_config:
              allow_insecure: true
              data_channel: clear
            engines:
            - targets: 2
              scm_class: file
              scm_mount: "/mesh/node2/scm/engine0"
              bdev_class: file
              bdev_list: ["/mesh/node2/nvme/ssd0", "/mesh/node2/nvme/ssd1"]
              bdev_size: 8
              log_file: "/mesh/node2/log/engine0.log"
            """;
    private static final String SECOND_ENGINE = """
            - targets: 2
              scm_class: file
              scm_mount: "/mesh/node2/scm/engine1"
              bdev_class: file
              bdev_list: ["/mesh/node2/nvme/ssd2", "/mesh/node2/nvme/ssd3"]
              bdev_size: 8
            """;

    @TempDir
    Path folder;

    @Test
    void shouldReadWhatTheMeshScriptWrites() throws IOException {
        NodeConfig node = read(GOOD).node();

        assertEquals("daos_server", node.system());
        assertEquals("127.0.0.1:10002", node.address());
        assertTrue(node.isReplica());
        assertEquals("/node2", node.faultDomain());
        assertEquals(9192, node.telemetryPort());
        assertEquals(Path.of("/mesh/node2/scm/control"), node.metadataDir());
        assertTrue(node.tls().allowInsecure());
        NodeConfig.Engine engine = node.engines().get(0);
        assertEquals(2, engine.targetCount());
        assertEquals("file", engine.scmClass());
        assertEquals(0, engine.scmBytes());
        assertEquals(8L << 30, engine.bdevBytes());
        assertEquals(2, engine.bdevs().size());
    }

    @Test
    void shouldUnderstandTheTiersOfNewerReleases() throws IOException {
        NodeConfig node = read("""
                        mgmt_svc_replicas: [st01, st02:10005, st03]
                        transport_config: {allow_insecure: true}
                        host: st01
                        provider: ofi+tcp
                        syslog: 127.0.0.1
                        engines:
                        - targets: 4
                          storage:
                          - {class: ram, scm_mount: /mnt/daos0, scm_size: 16}
                          - {class: nvme, bdev_list: ["0000:81:00.0"]}
                        """).node();

        assertEquals(List.of("st01:10001", "st02:10005", "st03:10001"), node.replicas());
        assertEquals("st01:10001", node.address());
        assertEquals("/st01", node.faultDomain());
        assertEquals(16L << 30, node.engines().get(0).scmBytes());
        assertEquals("nvme", node.engines().get(0).bdevClass());
        assertEquals(Path.of("/mnt/daos0.control"), node.metadataDir());
    }

    @Test
    void shouldReadHowManyErrorsADeviceMayHave() throws IOException {
        assertEquals(new AutoFaulty(true, 10, 4_294_967_295L), autoFaulty("{}"));
        assertEquals(new AutoFaulty(true, 3, 4_294_967_295L), autoFaulty("{max_io_errs: 3}"));
        assertEquals(new AutoFaulty(true, 10, 0), autoFaulty("{enable: true, max_csum_errs: 0}"));
        assertEquals(new AutoFaulty(false, 10, 4_294_967_295L), autoFaulty("{enable: false}"));
    }

    private AutoFaulty autoFaulty(String given) throws IOException {
        return read(GOOD + "  bdev_auto_faulty: " + given + "\n")
                .node()
                .engines()
                .get(0)
                .autoFaulty();
    }

    @Test
    void shouldWarnAboutKeysWithoutEffectAndKeepSyslog() throws IOException {
        ServerConfig config = read("provider: ofi+tcp\nsyslog: 127.0.0.1\n" + GOOD);

        assertEquals(List.of("key provider has no effect in this product"), config.warnings());
        assertEquals(Optional.of("udp://127.0.0.1:514"), config.syslog());
    }

    @Test
    void shouldServeMetricsWhereTheNodeListensUnlessToldOtherwise() throws IOException {
        Path web = Files.writeString(folder.resolve("web.yml"), "");

        assertEquals(
                new TelemetryConfig("127.0.0.1", Optional.empty()), read(GOOD).telemetry());
        assertEquals(
                new TelemetryConfig("10.0.0.7", Optional.of(web)),
                read(GOOD + "telemetry_config: {bind_address: 10.0.0.7, web_config_file: " + web + "}\n")
                        .telemetry());
    }

    @Test
    void shouldLetTheCommandLineGoBeforeTheFile() throws IOException {
        Properties given = new Properties();
        given.setProperty("daosmesh.server.port", "10009");
        given.setProperty("daosmesh.server.targets", "5");
        given.setProperty("daosmesh.server.storage", "/else/where");
        given.setProperty("daosmesh.server.insecure", "true");
        Path file = Files.writeString(
                folder.resolve("daos_server.yml"), GOOD.replace("  allow_insecure: true\n", "  cert: /none\n"));

        NodeConfig node = ServerConfig.read(file, Overrides.of(given)).node();

        assertEquals("127.0.0.1:10009", node.address());
        assertEquals(5, node.engines().get(0).targetCount());
        assertEquals(Path.of("/else/where"), node.engines().get(0).scmMount());
        assertTrue(node.tls().allowInsecure());
        given.setProperty("daosmesh.server.targets", "many");
        assertThrows(FaultException.class, () -> ServerConfig.read(file, Overrides.of(given)));
        given.setProperty("daosmesh.server.targets", "1");
        given.setProperty("daosmesh.server.port", "70000");
        assertThrows(FaultException.class, () -> ServerConfig.read(file, Overrides.of(given)));
        given.setProperty("daosmesh.server.port", "10002");
        Files.writeString(file, Files.readString(file) + SECOND_ENGINE);
        FaultException two = assertThrows(FaultException.class, () -> ServerConfig.read(file, Overrides.of(given)));
        assertTrue(two.fault().text().contains("2 engines"), two.fault().text());
    }

    @Test
    void shouldEqualItselfWhenReadAgain() throws IOException {
        assertEquals(read(GOOD).node(), read(GOOD).node());
    }

    record Bad(int code, String key, String yaml) {}

    static List<Bad> badFiles() {
        List<Bad> all = new ArrayList<>();
        all.add(new Bad(750, "prot", GOOD.replace("port: 10002", "prot: 10002")));
        all.add(new Bad(750, "engines[0].target", GOOD.replace("targets: 2", "target: 2")));
        all.add(new Bad(750, "transport_config.certificate", GOOD.replace("data_channel: clear", "certificate: x")));
        all.add(new Bad(703, "port", GOOD.replace("port: 10002", "port: 70000")));
        all.add(new Bad(703, "port", GOOD.replace("port: 10002", "port: 0")));
        all.add(new Bad(751, "port", GOOD.replace("port: 10002", "port: many")));
        all.add(new Bad(704, "telemetry_port", GOOD.replace("telemetry_port: 9192", "telemetry_port: -1")));
        all.add(new Bad(704, "telemetry_port", GOOD.replace("telemetry_port: 9192", "telemetry_port: 10002")));
        addOfTelemetry(all);
        addOfAutoFaulty(all);
        all.add(new Bad(706, "access_points", GOOD.replace(", \"127.0.0.1:10003\"", "")));
        all.add(new Bad(705, "access_points", GOOD.replace("127.0.0.1:10003", "127.0.0.1:10002")));
        all.add(new Bad(705, "access_points", GOOD.replace("127.0.0.1:10003", "127.0.0.1:99999")));
        all.add(new Bad(705, "access_points", GOOD.replaceFirst("access_points: .*", "access_points: []")));
        all.add(new Bad(752, "access_points", GOOD + "mgmt_svc_replicas: [a]\n"));
        all.add(new Bad(708, "engines", GOOD.substring(0, GOOD.indexOf("engines:"))));
        all.add(new Bad(752, "engines", GOOD + "servers: []\n"));
        all.add(new Bad(
                710, "engines[1].log_file", GOOD + SECOND_ENGINE + "  log_file: /mesh/node2/log/engine0.log\n"));
        all.add(new Bad(711, "engines[1].scm_mount", GOOD + SECOND_ENGINE.replace("engine1", "engine0")));
        all.add(new Bad(713, "engines[1].bdev_list", GOOD + SECOND_ENGINE.replace("ssd3", "ssd1")));
        all.add(new Bad(713, "engines[0].bdev_list", GOOD.replace("ssd1", "ssd0")));
        all.add(new Bad(714, "engines[1].bdev_list", GOOD + SECOND_ENGINE.replace(", \"/mesh/node2/nvme/ssd3\"", "")));
        all.add(new Bad(715, "engines[1].targets", GOOD + SECOND_ENGINE.replace("targets: 2", "targets: 3")));
        all.add(new Bad(
                732,
                "engines[1].scm_class",
                GOOD + SECOND_ENGINE.replace("scm_class: file", "scm_class: ram\n  scm_size: 1")));
        all.add(new Bad(717, "fault_path", GOOD.replace("/node2\n", "node2\n")));
        all.add(new Bad(724, "fault_path", GOOD.replace("fault_path: /node2", "fault_path: /a/b/c")));
        all.add(new Bad(722, "fault_cb", GOOD + "fault_cb: x\n"));
        all.add(new Bad(727, "enable_vmd", GOOD + "enable_vmd: true\ndisable_vmd: true\n"));
        all.add(new Bad(729, "control_metadata.path", GOOD.replace("path: \"/mesh/node2/scm/control\"", "device: x")));
        all.add(new Bad(730, "engines[0].scm_size", GOOD.replace("scm_class: file", "scm_class: ram")));
        all.add(new Bad(734, "system_ram_reserved", GOOD + "system_ram_reserved: 0\n"));
        all.add(new Bad(726, "disable_hugepages", nvme() + "disable_hugepages: true\n"));
        all.add(new Bad(701, "engines[0].scm_mount", GOOD.replaceFirst("scm_mount: .*\n", "log_mask: ERR\n")));
        all.add(new Bad(701, "engines[0].bdev_size", GOOD.replace("  bdev_size: 8\n", "")));
        all.add(new Bad(701, "engines[0].bdev_list", GOOD.replaceFirst("bdev_list: .*\n", "log_mask: ERR\n")));
        all.add(new Bad(751, "engines[0].bdev_size", GOOD.replace("bdev_size: 8", "bdev_size: -8")));
        all.add(new Bad(751, "engines[0].targets", GOOD.replace("targets: 2", "targets: 0")));
        all.add(new Bad(751, "engines[0].scm_class", GOOD.replace("scm_class: file", "scm_class: tape")));
        all.add(new Bad(751, "engines[0].scm_mount", GOOD.replace("\"/mesh/node2/scm/engine0\"", "relative")));
        all.add(new Bad(752, "engines[0].first_core", GOOD + "  first_core: 1\n  pinned_numa_node: 0\n"));
        all.add(new Bad(752, "engines[0].storage", GOOD + "  storage: [{class: ram, scm_mount: /a, scm_size: 1}]\n"));
        all.add(new Bad(751, "name", GOOD.replace("name: daos_server", "name: \"a b\"")));
        all.add(new Bad(751, "transport_config.data_channel", GOOD.replace("clear", "open")));
        all.add(new Bad(
                751, "transport_config.allow_insecure", GOOD.replace("allow_insecure: true", "allow_insecure: 7")));
        all.add(new Bad(751, "engines", GOOD.substring(0, GOOD.indexOf("engines:")) + "engines: 7\n"));
        all.add(new Bad(756, "transport_config.ca_cert", GOOD.replace("allow_insecure: true", "ca_cert: /not/there")));
        return all;
    }

    private static void addOfAutoFaulty(List<Bad> all) {
        String at = "engines[0].bdev_auto_faulty";
        all.add(new Bad(751, at, GOOD + "  bdev_auto_faulty: 7\n"));
        all.add(new Bad(750, at + ".max_errs", GOOD + "  bdev_auto_faulty: {max_errs: 1}\n"));
        all.add(new Bad(751, at + ".enable", GOOD + "  bdev_auto_faulty: {enable: maybe}\n"));
        all.add(new Bad(751, at + ".max_io_errs", GOOD + "  bdev_auto_faulty: {max_io_errs: -1}\n"));
        all.add(new Bad(751, at + ".max_csum_errs", GOOD + "  bdev_auto_faulty: {max_csum_errs: 4294967296}\n"));
    }

    private static void addOfTelemetry(List<Bad> all) {
        all.add(new Bad(
                704,
                "telemetry_config",
                GOOD.replaceFirst("telemetry_port: .*", "telemetry_config: {bind_address: 127.0.0.1}")));
        all.add(new Bad(750, "telemetry_config.cert", GOOD + "telemetry_config: {cert: x}\n"));
        all.add(new Bad(
                751, "telemetry_config.web_config_file", GOOD + "telemetry_config: {web_config_file: web.yml}\n"));
        all.add(new Bad(
                751, "telemetry_config.web_config_file", GOOD + "telemetry_config: {web_config_file: /none.yml}\n"));
    }

    private static String nvme() {
        return GOOD.replace("bdev_class: file", "bdev_class: nvme").replace("  bdev_size: 8\n", "");
    }

    @ParameterizedTest
    @MethodSource("badFiles")
    void shouldNameKeyAndRemedyWhenTheFileIsBad(Bad bad) {
        FaultException e = assertThrows(FaultException.class, () -> read(bad.yaml));

        assertEquals(Optional.of(bad.key), e.fault().argument("key"));
        assertEquals(Optional.of(String.valueOf(bad.code)), e.fault().argument("serverconfig"));
        String line = ConfigFault.line(e.fault());
        assertTrue(line.startsWith(bad.key + ": "), line);
        assertTrue(line.contains("code = " + bad.code + " resolution = \""), line);
        assertFalse(line.contains("\n"), line);
    }

    @Test
    void shouldNameFileAndLineWhenItIsNoYaml() {
        FaultException e = assertThrows(FaultException.class, () -> read("name: [\nport: 1\n"));

        String line = ConfigFault.line(e.fault());
        assertTrue(line.contains("daos_server.yml line "), line);
        assertTrue(line.contains("code = 754"), line);
    }

    @Test
    void shouldRefuseAKeyGivenTwice() {
        FaultException e = assertThrows(FaultException.class, () -> read(GOOD + "port: 10009\n"));

        assertTrue(ConfigFault.line(e.fault()).contains("port"), ConfigFault.line(e.fault()));
    }

    @Test
    void shouldRefuseAFileThatIsEmptyOrNotThere() {
        assertThrows(FaultException.class, () -> read(""));
        FaultException e = assertThrows(FaultException.class, () -> ServerConfig.read(folder.resolve("none.yml")));
        assertTrue(ConfigFault.line(e.fault()).contains("none.yml: cannot be read"), ConfigFault.line(e.fault()));
    }

    private ServerConfig read(String yaml) throws IOException {
        Path file = folder.resolve("daos_server.yml");
        Files.writeString(file, yaml);
        return ServerConfig.read(file);
    }
}
