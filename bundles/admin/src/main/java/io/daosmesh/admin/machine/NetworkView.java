package io.daosmesh.admin.machine;

import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.TextTable;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.machine.Machine;
import io.daosmesh.model.wire.HardwareScanReply;
import io.daosmesh.model.wire.InterfaceMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** {@code dmg network scan}: the interfaces of each host by NUMA node. Source: daos-admin facts 2.5. */
public final class NetworkView {
    private NetworkView() {}

    /** Refuses a provider of another transport than the nodes have: NOTSUPPORTED. @param provider all, tcp or ofi+tcp */
    public static void check(String provider) {
        String name =
                provider.toLowerCase(Locale.ROOT).replaceFirst("^ofi\\+", "").replaceFirst(";ofi_rxm$", "");
        if (name.equals("all") || name.equals(Machine.PROVIDER)) return;
        throw Fault.of(FaultCode.NOTSUPPORTED, "provider %s is not supported: nodes speak RSocket over TCP", provider)
                .remedy("give tcp (or ofi+tcp, as DAOS calls it), or all")
                .asException();
    }

    /** Interfaces that are up, hosts with the same ones together. */
    public static String text(HostReplies<HardwareScanReply> replies) {
        return HostBlocks.blocks(replies, NetworkView::text);
    }

    /** Of one machine, without its name. */
    public static String text(HardwareScanReply machine) {
        Map<Integer, Map<String, List<String>>> byNode = new TreeMap<>();
        for (InterfaceMessage i : machine.getInterfacesList()) {
            if (!i.getUp()) continue;
            byNode.computeIfAbsent(i.getNumaNode(), n -> new TreeMap<>())
                    .computeIfAbsent(i.getProvider(), p -> new ArrayList<>())
                    .add(i.getName());
        }
        if (byNode.isEmpty()) return "\n    No network interfaces found\n\n";
        StringBuilder out = new StringBuilder("\n");
        byNode.forEach((node, providers) -> {
            String title = "NUMA Socket " + node;
            String line = "-".repeat(title.length());
            TextTable table = new TextTable("Provider", "Interfaces");
            providers.forEach((provider, names) -> table.row(provider, String.join(", ", names)));
            String block =
                    line + "\n" + title + "\n" + line + "\n\n" + table.render().indent(4) + "\n";
            block.lines().forEach(l -> out.append(l.isEmpty() ? "" : "    " + l).append('\n'));
        });
        return out.toString();
    }

    public static Map<String, ?> json(HostReplies<HardwareScanReply> replies) {
        return HostBlocks.json(replies, NetworkView::json);
    }

    /** All interfaces, also those that are down. */
    public static Map<String, ?> json(HardwareScanReply machine) {
        List<Map<String, ?>> interfaces = new ArrayList<>();
        for (InterfaceMessage i : machine.getInterfacesList()) {
            interfaces.add(Json.object(
                    "name",
                    i.getName(),
                    "provider",
                    i.getProvider(),
                    "numa_node",
                    i.getNumaNode(),
                    "net_class",
                    i.getNetClass().toLowerCase(Locale.ROOT),
                    "up",
                    i.getUp(),
                    "mtu",
                    i.getMtu(),
                    "speed_mbps",
                    i.getSpeedMbps()));
        }
        return Json.object("numa_count", machine.getNumaCount(), "interfaces", interfaces);
    }
}
