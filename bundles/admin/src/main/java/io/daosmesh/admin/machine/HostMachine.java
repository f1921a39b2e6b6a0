package io.daosmesh.admin.machine;

import io.daosmesh.model.wire.ControllerMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.InterfaceMessage;
import io.daosmesh.model.wire.NamespaceMessage;
import io.daosmesh.model.wire.NumaMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.StorageScanReply;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * One host as a configuration needs to know it. Immutable.
 *
 * @param host as it was asked
 * @param storage what the node uses already; devices that are emulated are known from here alone
 */
record HostMachine(String host, HardwareScanReply hardware, StorageScanReply storage) {
    private static final Set<String> EMULATED = Set.of("file", "malloc");

    /** Has no SSD of its own but files or memory that stand for some. */
    boolean isEmulated() {
        return hardware.getControllersCount() == 0 && !emulated().isEmpty();
    }

    List<DeviceInfoMessage> emulated() {
        return storage.getNvmeList().stream()
                .filter(d -> EMULATED.contains(d.getDeviceClass()))
                .toList();
    }

    /** Folders that stand for SCM. */
    List<ScmInfoMessage> folders() {
        return storage.getScmList().stream()
                .filter(s -> s.getScmClass().equals("file"))
                .toList();
    }

    List<ControllerMessage> controllers(int node) {
        return hardware.getControllersList().stream()
                .filter(c -> c.getNumaNode() == node)
                .toList();
    }

    List<NamespaceMessage> namespaces(int node) {
        return hardware.getNamespacesList().stream()
                .filter(n -> n.getNumaNode() == node)
                .toList();
    }

    /** Numbers of the NUMA nodes; 0 alone when the machine says nothing. */
    List<Integer> nodes() {
        List<Integer> nodes =
                hardware.getNumaList().stream().map(NumaMessage::getNode).toList();
        return nodes.isEmpty() ? List.of(0) : nodes;
    }

    int cores(int node) {
        return hardware.getNumaList().stream()
                .filter(n -> n.getNode() == node)
                .mapToInt(NumaMessage::getCores)
                .findFirst()
                .orElse(1);
    }

    long memoryBytes() {
        return hardware.getNumaList().stream()
                .mapToLong(NumaMessage::getMemoryBytes)
                .sum();
    }

    /**
     * What has to be equal for one configuration to suit several hosts, in words. Memory is left out: machines of one kind
     * report some MiB more or less.
     */
    String kind() {
        StringBuilder out = new StringBuilder();
        for (int node : nodes()) {
            Set<String> nets = new TreeSet<>();
            hardware.getInterfacesList().stream()
                    .filter(i -> i.getUp()
                            && i.getNumaNode() == node
                            && !i.getNetClass().equals("LOOPBACK"))
                    .map(InterfaceMessage::getName)
                    .forEach(nets::add);
            out.append(out.length() == 0 ? "" : "; ")
                    .append("NUMA ")
                    .append(node)
                    .append(": ")
                    .append(cores(node))
                    .append(" cores, ")
                    .append(nets.isEmpty() ? "no network" : String.join("+", nets));
            controllers(node)
                    .forEach(c ->
                            out.append(", ").append(c.getAddress()).append(' ').append(c.getModel()));
            namespaces(node)
                    .forEach(n -> out.append(", ")
                            .append(n.getName())
                            .append(' ')
                            .append(n.getSizeBytes() >> 30)
                            .append(" GiB"));
        }
        if (isEmulated()) {
            out.append("; ").append(emulated().size()).append(" emulated SSDs of");
            new TreeSet<>(emulated().stream()
                            .map(DeviceInfoMessage::getSizeBytes)
                            .toList())
                    .forEach(size -> out.append(' ').append(size >> 20).append(" MiB"));
        }
        return out.toString();
    }
}
