package io.daosmesh.cli.node;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.command.Dialog;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.cli.dmg.DmgConfig;
import io.daosmesh.cli.dmg.access.Hosting;
import io.daosmesh.cli.dmg.access.ToolAccess;
import io.daosmesh.cli.metrics.MetricsAccess;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcClients;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.rpc.Rpc;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/**
 * One command within a node. Whoever wants more than questions needs the certificate of an administrator on this machine, in
 * {@code daos_control.yml} as for dmg. Owner: the thread of the command.
 */
final class NodeHosting implements Hosting, AutoCloseable {
    private final NodeConfig node;
    private final Optional<DmgConfig> written;
    private final Dialog dialog;
    private final NodeRpc rpc;

    /** @param written the configuration of dmg on this machine */
    NodeHosting(NodeConfig node, Optional<DmgConfig> written, Rpc own, RpcClients clients, Dialog dialog) {
        this.node = node;
        this.written = written;
        this.dialog = dialog;
        rpc = new NodeRpc(own, () -> administrator(clients));
    }

    /** That of dmg, else one that knows this node only. */
    DmgConfig config() {
        return written.orElseGet(() ->
                new DmgConfig(node.system(), node.port(), List.of(node.address()), node.tls(), MetricsAccess.PLAIN));
    }

    private RpcClients.Client administrator(RpcClients clients) {
        if (written.isPresent())
            return clients.open(
                    Role.ADMIN, written.get().system(), written.get().tls(), claim());
        if (node.tls().allowInsecure()) return clients.open(Role.ADMIN, node.system(), node.tls(), claim());
        throw Fault.of(FaultCode.NO_PERM, "this node has no certificate of an administrator: it can only ask")
                .remedy("use dmg, or write daos_control.yml on this machine (docs/security.md)")
                .asException();
    }

    @Override
    public void adapt(CommandLine line) {
        HostedOptions.remove(line);
    }

    private String claim() {
        return "console:" + dialog.user();
    }

    @Override
    public String user() {
        return dialog.user();
    }

    @Override
    public AdminCalls calls(List<String> hosts) {
        Set<String> ways = new LinkedHashSet<>(List.of(node.address()));
        ways.addAll(node.replicas());
        ways.addAll(hosts);
        return new AdminCalls(rpc, List.copyOf(ways), ToolAccess.READ_MAX, ToolAccess.WRITE_MAX);
    }

    /** The console of a node is no way to try doors of other machines. */
    @Override
    public void check(List<String> hosts) {
        Set<String> known = new LinkedHashSet<>(config().hosts());
        known.add(node.address());
        known.addAll(node.replicas());
        Set<String> names = new LinkedHashSet<>(Set.of("localhost"));
        known.forEach(h -> names.add(HostList.name(h)));
        for (String host : hosts) {
            if (known.contains(host) || names.contains(host)) continue;
            throw Fault.of(FaultCode.INVAL, "%s is none of the hosts this console may ask", host)
                    .remedy("name it in hostlist of daos_control.yml on this machine, or use dmg")
                    .asException();
        }
    }

    @Override
    public @Nullable String ask(String prompt) {
        return dialog.ask(prompt);
    }

    @Override
    public void close() {
        rpc.close();
    }
}
