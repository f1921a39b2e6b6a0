package io.daosmesh.admin.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.HardwareScanReply;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The configuration that machines get. */
class ConfigYamlTest {
    private static final ConfigOptions USUAL = new ConfigOptions(
            List.of(), 0, 1, ConfigOptions.NetClass.BEST_AVAILABLE, false, false, Optional.empty(), false);

    private static ConfigOptions options(int engines, int ssds, String net, boolean scmOnly, boolean tmpfs) {
        return new ConfigOptions(
                List.of(), engines, ssds, ConfigOptions.NetClass.of(net), scmOnly, tmpfs, Optional.empty(), true);
    }

    private static String real(ConfigOptions options) {
        return ConfigYaml.text(
                "test",
                MachineSamples.hosts(MachineSamples.real("st01:10001", 4), MachineSamples.real("st02:10001", 4)),
                MachineSamples.unused(),
                options);
    }

    @Test
    void shouldGiveEachNumaNodeAnEngineWithWhatLiesThere() {
        String text = real(USUAL);

        assertTrue(text.startsWith("# Made by test for st[01-02].\n"), text);
        assertTrue(text.contains("mgmt_svc_replicas:\n- st01\ntelemetry_port: 9191\n"), text);
        assertTrue(text.endsWith("""
                        - targets: 16
                          pinned_numa_node: 1
                          fabric_iface: ib1
                          log_mask: INFO
                          storage:
                          - class: dcpm
                            scm_mount: /mnt/daos1
                            scm_list:
                            - /dev/pmem1
                          - class: nvme
                            bdev_list:
                            - "0000:e0:00.0"
                            - "0000:e1:00.0"
                            - "0000:e2:00.0"
                            - "0000:e3:00.0"
                        """), text);
    }

    @Test
    void shouldFollowTheFlags() {
        String text = real(options(1, 4, "ethernet", false, true));

        assertTrue(text.contains("fabric_iface: eth0"), text);
        assertFalse(text.contains("pinned_numa_node: 1"), text);
        assertTrue(text.contains("class: ram\n    scm_mount: /mnt/daos0\n    scm_size: 240\n"), text);
        assertTrue(text.contains("allow_insecure: true"), text);
        assertFalse(real(options(0, 1, "infiniband", true, false)).contains("bdev_list"));
    }

    @Test
    void shouldRefuseWhatTheMachinesLack() {
        refused("fewer than 5", options(2, 5, "best-available", false, false), 4);
        refused("3 engines", options(3, 1, "best-available", false, false), 4);
        refused("no PMem", options(0, 1, "best-available", false, false), MachineSamples.small("st01:10001"));
        refused("infiniband", options(0, 0, "infiniband", false, true), MachineSamples.small("st01:10001"));
        assertThrows(FaultException.class, () -> options(17, 1, "ethernet", false, false));
        assertThrows(FaultException.class, () -> options(1, 1, "token-ring", false, false));
    }

    private static void refused(String word, ConfigOptions options, int ssds) {
        refused(word, options, MachineSamples.real("st01:10001", ssds));
    }

    private static void refused(String word, ConfigOptions options, HardwareScanReply machine) {
        HostReplies<HardwareScanReply> hosts = MachineSamples.hosts(machine);
        FaultException e = assertThrows(
                FaultException.class, () -> ConfigYaml.text("test", hosts, MachineSamples.unused(), options));

        assertEquals(FaultCode.INVAL, e.code());
        assertTrue(e.fault().text().contains(word), e.fault().text());
    }

    @Test
    void shouldRefuseHostsThatDiffer() {
        HostReplies<HardwareScanReply> hosts = MachineSamples.hosts(
                MachineSamples.real("st01:10001", 4),
                MachineSamples.real("st02:10001", 4),
                MachineSamples.real("st03:10001", 3));

        FaultException e = assertThrows(
                FaultException.class, () -> ConfigYaml.text("test", hosts, MachineSamples.unused(), USUAL));

        assertEquals(FaultCode.MISMATCH, e.code());
        assertTrue(e.fault().text().contains("st[01-02] (NUMA 0"), e.fault().text());
        assertTrue(e.fault().remedy().contains("-l"), e.fault().remedy());
    }

    @Test
    void shouldKeepTheFilesOfAnEmulatedNode() {
        String text = ConfigYaml.text(
                "test",
                MachineSamples.hosts(MachineSamples.small("127.0.0.1:10001"), MachineSamples.small("127.0.0.1:10002")),
                MachineSamples.files(List.of("127.0.0.1:10001", "127.0.0.1:10002")),
                options(0, 2, "best-available", false, false));

        assertTrue(text.contains("bind_address: \"127.0.0.1\"\n"), text);
        assertTrue(text.contains("class: file\n    scm_mount: /srv/127.0.0.1_10001/scm\n"), text);
        assertTrue(text.contains("- /srv/127.0.0.1_10001/nvme1\n    bdev_size: 8\n"), text);
        assertTrue(text.contains("targets: 2\n"), text);
    }
}
