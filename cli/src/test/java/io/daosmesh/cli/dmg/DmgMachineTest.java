package io.daosmesh.cli.dmg;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.control.config.ServerConfig;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.wire.AddDeviceRequest;
import io.daosmesh.model.wire.ControllerMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.Empty;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.InterfaceMessage;
import io.daosmesh.model.wire.ListDevicesReply;
import io.daosmesh.model.wire.NamespaceMessage;
import io.daosmesh.model.wire.NumaMessage;
import io.daosmesh.model.wire.RebindRequest;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.StorageScanReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** dmg network scan and dmg config generate; what the latter prints is read as a server reads it. */
@Timeout(60)
class DmgMachineTest extends FakeDmg {
    private static HardwareScanReply.Builder machine() {
        return HardwareScanReply.newBuilder()
                .addNuma(NumaMessage.newBuilder().setCores(8).setMemoryBytes(64L << 30))
                .addInterfaces(InterfaceMessage.newBuilder()
                        .setName("eth0")
                        .setProvider("tcp")
                        .setNetClass("ETHER")
                        .setUp(true));
    }

    private void answer(HardwareScanReply.Builder hardware, StorageScanReply.Builder storage) {
        answers.put(RpcMethod.HARDWARE_SCAN, q -> hardware.build());
        answers.put(RpcMethod.STORAGE_SCAN, q -> storage.build());
    }

    /** As a server does when it starts. */
    private NodeConfig generated(String... flags) throws IOException {
        String[] words = new String[flags.length + 2];
        words[0] = "config";
        words[1] = "generate";
        System.arraycopy(flags, 0, words, 2, flags.length);
        out.reset();
        assertEquals(0, dmg(words), () -> text(err));
        Path file = Files.writeString(folder.resolve("daos_server.yml"), text(out));
        ServerConfig config = ServerConfig.read(file);
        assertEquals(List.of(), config.warnings());
        return config.node();
    }

    @Test
    void shouldShowTheInterfacesOfHosts() {
        answer(machine(), StorageScanReply.newBuilder());

        assertEquals(0, dmg("network", "scan"));
        assertTrue(text(out).contains("\n127.0.0.1:1000[1-3]\n"), text(out));
        assertTrue(text(out).contains("    NUMA Socket 0\n"), text(out));
        assertTrue(text(out).contains("        tcp      eth0       \n"), text(out));
        assertEquals(0, dmg("net", "scan", "-p", "ofi+tcp", "-l", "st1"));

        assertEquals(1, dmg("network", "scan", "--provider", "ofi+verbs"));
        assertTrue(text(err).contains("DER_NOTSUPPORTED(-2037): provider ofi+verbs"), text(err));
    }

    @Test
    void shouldRebindAControllerOfOneHost() {
        answers.put(RpcMethod.STORAGE_REBIND, q -> {
            if (((RebindRequest) q).getAddress().equals("0000:61:00.0")) return Empty.getDefaultInstance();
            throw Fault.of(FaultCode.NONEXIST, "no controller")
                    .with("domain", "bdev")
                    .with("fault", 304)
                    .asException();
        });

        assertEquals(0, dmg("storage", "nvme-rebind", "-l", "st1", "-a", "0000:61:00.0"), () -> text(err));
        assertEquals("Command completed successfully\n", text(out));
        assertEquals(1, dmg("storage", "nvme-rebind", "-a", "0000:61:00.0"));
        assertTrue(text(err).contains("3 hosts are named"), text(err));
        assertEquals(1, dmg("storage", "nvme-rebind", "-l", "st1", "--pci-address", "0000:62:00.0"));
        assertTrue(text(err).contains("no controller"), text(err));
        assertEquals(1, dmg("storage", "nvme-rebind", "-l", "st1"));
    }

    @Test
    void shouldTakeADeviceIntoAnEngineOfOneHost() {
        AddDeviceRequest.Builder wanted =
                AddDeviceRequest.newBuilder().setAddress("0000:61:00.0").setEngineIndex(1);
        answers.put(RpcMethod.STORAGE_ADD_DEVICE, q -> {
            if (!q.equals(wanted.setTierIndex(-1).build())
                    && !q.equals(wanted.setTierIndex(2).build()))
                throw Fault.of(FaultCode.NONEXIST, "no device").asException();
            return ListDevicesReply.newBuilder()
                    .addDevices(DeviceInfoMessage.newBuilder().setState("NEW"))
                    .build();
        });

        assertEquals(
                0, dmg("storage", "nvme-add-device", "-l", "st1", "-a", "0000:61:00.0", "-e", "1"), () -> text(err));
        assertEquals("Command completed successfully\n", text(out));
        assertEquals(
                0,
                dmg("-j", "storage", "nvme-add-device", "-l", "st1", "-a", "0000:61:00.0", "-e", "1", "-t", "2"),
                () -> text(err));
        assertTrue(text(out).contains("\"NEW\""), text(out));
        assertEquals(1, dmg("storage", "nvme-add-device", "-a", "0000:61:00.0", "-e", "1"));
        assertTrue(text(err).contains("3 hosts are named"), text(err));
        assertEquals(1, dmg("storage", "nvme-add-device", "-l", "st1", "-a", "0000:61:00.0", "-e", "0"));
        assertTrue(text(err).contains("no device"), text(err));
        assertEquals(1, dmg("storage", "nvme-add-device", "-l", "st1", "-a", "0000:61:00.0"));
    }

    @Test
    void shouldNameHostsThatDoNotAnswer() {
        assertEquals(1, dmg("network", "scan", "-j"));
        assertTrue(text(out).contains("\"host_errors\""), text(out));
        assertEquals(1, dmg("config", "generate", "-t", "-s", "0"));
        assertTrue(text(err).contains("Errors:"), text(err));
    }

    @Test
    void shouldGenerateWhatAServerLoads() throws IOException {
        HardwareScanReply.Builder real = machine()
                .addNamespaces(NamespaceMessage.newBuilder().setName("pmem0").setSizeBytes(1L << 40))
                .addControllers(ControllerMessage.newBuilder()
                        .setAddress("0000:61:00.0")
                        .setModel("ACME"))
                .addControllers(ControllerMessage.newBuilder()
                        .setAddress("0000:62:00.0")
                        .setModel("ACME"));
        answer(real, StorageScanReply.newBuilder());

        NodeConfig config = generated("-a", "st1,st2,st3");

        NodeConfig.Engine engine = config.engines().get(0);
        assertEquals(List.of("st1:10001", "st2:10001", "st3:10001"), config.replicas());
        assertEquals("dcpm", engine.scmClass());
        assertEquals(List.of("0000:61:00.0", "0000:62:00.0"), engine.bdevs());
        assertEquals(6, engine.targetCount());
        assertEquals("ram", generated("-t", "-m", "/var/daos").engines().get(0).scmClass());
        assertEquals(Path.of("/var/daos"), generated("-t", "-m", "/var/daos").metadataDir());
        assertEquals(
                List.of(), generated("--scm-only", "-e", "1").engines().get(0).bdevs());

        assertEquals(1, dmg("config", "generate", "-a", "st1,st2"));
        assertTrue(text(err).contains("even number"), text(err));
        assertEquals(1, dmg("config", "generate", "-a", "st1", "-r", "st1"));
    }

    @Test
    void shouldGenerateForEmulatedDevices() throws IOException {
        StorageScanReply.Builder storage = StorageScanReply.newBuilder()
                .addScm(ScmInfoMessage.newBuilder().setScmClass("file").setMount("/srv/my scm/#1"));
        for (int i = 0; i < 4; i++) {
            storage.addNvme(DeviceInfoMessage.newBuilder()
                    .setDeviceClass("file")
                    .setAddress("/srv/nvme" + i)
                    .setSizeBytes((8L << 30) + (1 << 20))
                    .setEngineIndex(i / 2));
        }
        answer(machine(), storage);

        NodeConfig config = generated();

        assertEquals(2, config.engines().size());
        assertEquals(Path.of("/srv/my scm/#1"), config.engines().get(0).scmMount());
        assertEquals(
                List.of("/srv/nvme2", "/srv/nvme3"), config.engines().get(1).bdevs());
        assertEquals((8L << 30) + (1 << 20), config.engines().get(1).bdevBytes());
    }
}
