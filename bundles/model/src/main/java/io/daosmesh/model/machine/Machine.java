package io.daosmesh.model.machine;

import io.daosmesh.model.wire.ControllerMessage;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.InterfaceMessage;
import io.daosmesh.model.wire.NamespaceMessage;
import io.daosmesh.model.wire.NumaMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Network interfaces, NUMA nodes, NVMe controllers and persistent memory of a machine, by what Linux says of them. Reads files only:
 * it needs no right and changes nothing. Source: Documentation/ABI of Linux, sysfs-class-net, sysfs-bus-pci, sysfs-devices-node.
 */
public final class Machine {
    /** What nodes speak to each other over; DAOS calls it {@code ofi+tcp}. */
    public static final String PROVIDER = "tcp";

    private static final String PCI = "bus/pci/devices";
    /** Mass storage, non-volatile memory, whatever its programming interface. */
    private static final String NVME_CLASS = "0x0108";

    private static final int SECTOR_BYTES = 512;
    private static final int ETHER = 1;
    private static final int INFINIBAND = 32;
    private static final int LOOPBACK = 772;
    private static final Pattern MEMORY = Pattern.compile("MemTotal:\\s+(\\d+) kB");

    private Machine() {}

    /** @param host how the reply calls the machine */
    public static HardwareScanReply scan(Sysfs sys, String host) {
        return HardwareScanReply.newBuilder()
                .setHost(host)
                .addAllInterfaces(interfaces(sys))
                .addAllNuma(numa(sys))
                .addAllControllers(controllers(sys))
                .addAllNamespaces(namespaces(sys))
                .setPmemModules((int) sys.names("bus/nd/devices").stream()
                        .filter(n -> n.startsWith("nmem"))
                        .count())
                .setIommu(!sys.names("class/iommu").isEmpty())
                .setHugepageKib(hugepage(sys))
                .build();
    }

    public static List<InterfaceMessage> interfaces(Sysfs sys) {
        List<InterfaceMessage> all = new ArrayList<>();
        for (String name : sys.names("class/net")) {
            String at = "class/net/" + name;
            if (!sys.has(at + "/type")) continue;
            String state = sys.text(at + "/operstate");
            long flags = sys.number(at + "/flags", 0);
            all.add(InterfaceMessage.newBuilder()
                    .setName(name)
                    .setProvider(PROVIDER)
                    .setNumaNode(sys.numaNode(at + "/device"))
                    .setNetClass(netClass((int) sys.number(at + "/type", -1)))
                    // the loopback says unknown and is up by its flag
                    .setUp(state.equals("up") || (state.equals("unknown") && (flags & 1) != 0))
                    .setMtu((int) Math.max(0, sys.number(at + "/mtu", 0)))
                    .setSpeedMbps((int) Math.max(0, sys.number(at + "/speed", 0)))
                    .build());
        }
        return all;
    }

    private static String netClass(int type) {
        return switch (type) {
            case ETHER -> "ETHER";
            case INFINIBAND -> "INFINIBAND";
            case LOOPBACK -> "LOOPBACK";
            default -> "OTHER";
        };
    }

    private static List<NumaMessage> numa(Sysfs sys) {
        List<NumaMessage> all = new ArrayList<>();
        for (String name : sys.names("devices/system/node")) {
            if (!name.matches("node[0-9]{1,4}")) continue;
            String at = "devices/system/node/" + name;
            Matcher memory = MEMORY.matcher(sys.text(at + "/meminfo"));
            all.add(NumaMessage.newBuilder()
                    .setNode(Integer.parseInt(name.substring("node".length())))
                    .setCores(listed(sys.text(at + "/cpulist")))
                    .setMemoryBytes(memory.find() ? Long.parseLong(memory.group(1)) << 10 : 0)
                    .build());
        }
        return all;
    }

    /** How many numbers a list like {@code 0-3,8} has. */
    static int listed(String list) {
        int count = 0;
        for (String part : list.split(",")) {
            Matcher range = Pattern.compile("(\\d{1,6})(?:-(\\d{1,6}))?").matcher(part.strip());
            if (!range.matches()) continue;
            int first = Integer.parseInt(range.group(1));
            int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
            count += Math.max(0, last - first + 1);
        }
        return count;
    }

    /** NVMe controllers on the PCI bus, by address. */
    public static List<ControllerMessage> controllers(Sysfs sys) {
        List<ControllerMessage> all = new ArrayList<>();
        for (String address : sys.names(PCI)) {
            String at = PCI + "/" + address;
            if (!sys.text(at + "/class").startsWith(NVME_CLASS)) continue;
            ControllerMessage.Builder controller = ControllerMessage.newBuilder()
                    .setAddress(address)
                    .setNumaNode(sys.numaNode(at))
                    .setDriver(sys.linkName(at + "/driver"))
                    .setModel(sys.text(at + "/vendor") + ":" + sys.text(at + "/device"));
            // only the kernel's own driver tells more
            sys.names(at + "/nvme").stream()
                    .findFirst()
                    .ifPresent(name -> named(sys, at + "/nvme/" + name, controller));
            all.add(controller.build());
        }
        return all;
    }

    private static void named(Sysfs sys, String at, ControllerMessage.Builder controller) {
        if (!sys.text(at + "/model").isEmpty()) controller.setModel(sys.text(at + "/model"));
        controller.setFirmware(sys.text(at + "/firmware_rev"));
        long sectors = 0;
        for (String namespace : sys.names(at)) {
            if (namespace.matches("nvme\\d+(c\\d+)?n\\d+")) sectors += sys.number(at + "/" + namespace + "/size", 0);
        }
        controller.setSizeBytes(sectors * SECTOR_BYTES);
    }

    /** Namespaces of persistent memory that are block devices. */
    public static List<NamespaceMessage> namespaces(Sysfs sys) {
        List<NamespaceMessage> all = new ArrayList<>();
        for (String name : sys.names("block")) {
            if (!name.matches("pmem[0-9.]+")) continue;
            all.add(NamespaceMessage.newBuilder()
                    .setName(name)
                    .setNumaNode(sys.numaNode("block/" + name + "/device"))
                    .setSizeBytes(sys.number("block/" + name + "/size", 0) * SECTOR_BYTES)
                    .build());
        }
        return all;
    }

    /** Size of the pages there are most of; 0 without. */
    private static long hugepage(Sysfs sys) {
        long most = 0;
        long size = 0;
        for (String name : sys.names("kernel/mm/hugepages")) {
            Matcher found = Pattern.compile("hugepages-(\\d{1,12})kB").matcher(name);
            if (!found.matches()) continue;
            long count = sys.number("kernel/mm/hugepages/" + name + "/nr_hugepages", 0);
            if (size == 0 || count > most) {
                size = Long.parseLong(found.group(1));
                most = count;
            }
        }
        return size;
    }
}
