package io.daosmesh.model.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.InterfaceMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A tree as Linux shows it, in a folder. */
class MachineTest {
    @TempDir
    Path root;

    private void file(String path, String text) throws IOException {
        Files.createDirectories(root.resolve(path).getParent());
        Files.writeString(root.resolve(path), text + "\n");
    }

    private void net(String name, String type, String state, String flags) throws IOException {
        file("class/net/" + name + "/type", type);
        file("class/net/" + name + "/operstate", state);
        file("class/net/" + name + "/flags", flags);
        file("class/net/" + name + "/mtu", "1500");
    }

    @Test
    void shouldReadWhatTheMachineHas() throws IOException {
        net("eth0", "1", "up", "0x1003");
        file("class/net/eth0/device/numa_node", "1");
        file("class/net/eth0/speed", "-1");
        net("ib0", "32", "down", "0x1002");
        net("lo", "772", "unknown", "0x9");
        file("class/net/bonding_masters", "");
        file("devices/system/node/node0/cpulist", "0-3,8");
        file("devices/system/node/node0/meminfo", "Node 0 MemTotal:       1024 kB");
        file("devices/system/node/possible", "0");
        String ssd = "bus/pci/devices/0000:61:00.0";
        file(ssd + "/class", "0x010802");
        file(ssd + "/numa_node", "-1");
        file(ssd + "/nvme/nvme3/model", "ACME-9000   ");
        file(ssd + "/nvme/nvme3/firmware_rev", "A1B2");
        file(ssd + "/nvme/nvme3/nvme3n1/size", "2048");
        Files.createDirectories(root.resolve("bus/pci/drivers/nvme"));
        Files.createSymbolicLink(root.resolve(ssd + "/driver"), root.resolve("bus/pci/drivers/nvme"));
        file("bus/pci/devices/0000:00:02.0/class", "0x018000");
        file("block/pmem0/size", "4096");
        file("block/pmem0/device/numa_node", "1");
        file("bus/nd/devices/nmem0/x", "");
        file("kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "7");

        HardwareScanReply machine = Machine.scan(new Sysfs(root), "st01:10001");

        assertEquals(
                List.of("eth0 ETHER true 1", "ib0 INFINIBAND false 0", "lo LOOPBACK true 0"),
                machine.getInterfacesList().stream().map(MachineTest::shown).toList());
        assertEquals(5, machine.getNuma(0).getCores());
        assertEquals(1 << 20, machine.getNuma(0).getMemoryBytes());
        assertEquals(1, machine.getControllersCount());
        assertEquals("ACME-9000", machine.getControllers(0).getModel());
        assertEquals("nvme", machine.getControllers(0).getDriver());
        assertEquals(1 << 20, machine.getControllers(0).getSizeBytes());
        assertEquals(0, machine.getControllers(0).getNumaNode());
        assertEquals(1, machine.getNamespaces(0).getNumaNode());
        assertEquals(1, machine.getPmemModules());
        assertEquals(2048, machine.getHugepageKib());
        assertFalse(machine.getIommu());
    }

    @Test
    void shouldReadNothingWhereNothingIs() {
        HardwareScanReply machine = Machine.scan(new Sysfs(root), "st01:10001");

        assertEquals(HardwareScanReply.newBuilder().setHost("st01:10001").build(), machine);
    }

    @Test
    void shouldFindTheLoopbackOfThisMachine() {
        assertTrue(Machine.interfaces(Sysfs.ofThisMachine()).stream()
                .anyMatch(i -> i.getNetClass().equals("LOOPBACK")));
    }

    private static String shown(InterfaceMessage i) {
        return i.getName() + " " + i.getNetClass() + " " + i.getUp() + " " + i.getNumaNode();
    }
}
