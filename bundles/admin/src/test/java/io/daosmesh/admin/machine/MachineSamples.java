package io.daosmesh.admin.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.ControllerMessage;
import io.daosmesh.model.wire.DeviceInfoMessage;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.InterfaceMessage;
import io.daosmesh.model.wire.NamespaceMessage;
import io.daosmesh.model.wire.NumaMessage;
import io.daosmesh.model.wire.ScmInfoMessage;
import io.daosmesh.model.wire.StorageScanReply;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Machines with two NUMA nodes, and small ones with files for devices. */
public final class MachineSamples {
    private MachineSamples() {}

    /** Two hosts alike and one that does not answer. */
    public static HostReplies<HardwareScanReply> replies() {
        return new HostReplies<>(
                Map.of("st01:10001", real("st01:10001", 4)),
                Map.of("st09:10001", Fault.of(FaultCode.UNREACH, "refused")));
    }

    static HostReplies<HardwareScanReply> hosts(HardwareScanReply... all) {
        Map<String, HardwareScanReply> replies = new LinkedHashMap<>();
        for (HardwareScanReply one : all) replies.put(one.getHost(), one);
        return new HostReplies<>(replies, Map.of());
    }

    static HostReplies<StorageScanReply> unused() {
        return new HostReplies<>(Map.of(), Map.of());
    }

    /** @param ssds of each NUMA node */
    static HardwareScanReply real(String host, int ssds) {
        HardwareScanReply.Builder machine =
                HardwareScanReply.newBuilder().setHost(host).setPmemModules(2).setIommu(true);
        for (int node = 0; node < 2; node++) {
            machine.addNuma(NumaMessage.newBuilder().setNode(node).setCores(20).setMemoryBytes(128L << 30))
                    .addInterfaces(net("eth" + node, node, "ETHER", 25_000, true))
                    .addInterfaces(net("ib" + node, node, "INFINIBAND", 200_000, true))
                    .addInterfaces(net("down" + node, node, "ETHER", 0, false))
                    .addNamespaces(NamespaceMessage.newBuilder()
                            .setName("pmem" + node)
                            .setNumaNode(node)
                            .setSizeBytes(1L << 40));
            for (int i = 0; i < ssds; i++) {
                machine.addControllers(ControllerMessage.newBuilder()
                        .setAddress("0000:" + (node == 0 ? "6" : "e") + i + ":00.0")
                        .setModel("ACME-9000")
                        .setNumaNode(node)
                        .setDriver("nvme"));
            }
        }
        return machine.build();
    }

    static InterfaceMessage net(String name, int node, String netClass, int speed, boolean up) {
        return InterfaceMessage.newBuilder()
                .setName(name)
                .setProvider("tcp")
                .setNumaNode(node)
                .setNetClass(netClass)
                .setUp(up)
                .setMtu(1500)
                .setSpeedMbps(speed)
                .build();
    }

    /** A machine without SSDs. */
    static HardwareScanReply small(String host) {
        return HardwareScanReply.newBuilder()
                .setHost(host)
                .addNuma(NumaMessage.newBuilder().setCores(4).setMemoryBytes(8L << 30))
                .addInterfaces(net("eth0", 0, "ETHER", 0, true))
                .addInterfaces(net("lo", 0, "LOOPBACK", 0, true))
                .build();
    }

    /** What a node there uses: two files of 8 GiB. */
    static HostReplies<StorageScanReply> files(List<String> hosts) {
        Map<String, StorageScanReply> replies = new LinkedHashMap<>();
        for (String host : hosts) {
            StorageScanReply.Builder scan = StorageScanReply.newBuilder()
                    .setHost(host)
                    .addScm(ScmInfoMessage.newBuilder()
                            .setScmClass("file")
                            .setMount("/srv/" + host.replace(':', '_') + "/scm"));
            for (int i = 0; i < 2; i++) {
                scan.addNvme(DeviceInfoMessage.newBuilder()
                        .setDeviceClass("file")
                        .setAddress("/srv/" + host.replace(':', '_') + "/nvme" + i)
                        .setSizeBytes(8L << 30));
            }
            replies.put(host, scan.build());
        }
        return new HostReplies<>(replies, Map.of());
    }
}
