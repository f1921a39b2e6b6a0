package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.Rpc;
import java.io.PrintStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Supplier;
import org.apache.karaf.shell.api.action.Action;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Reference;
import org.apache.karaf.shell.api.console.Session;
import org.jspecify.annotations.Nullable;

/**
 * A command over this node's own RPC service, which the servers know as a server: only questions, nothing that changes the
 * system. Owner: the shell's thread.
 */
abstract class NodeCommand implements Action {
    private static final Duration READ_MAX = Duration.ofSeconds(10);

    @Reference
    @Nullable
    Rpc rpc; // set by Karaf before execute

    @Reference
    @Nullable
    NodeConfig config; // set by Karaf before execute

    @Option(name = "-j", aliases = "--json", description = "as JSON")
    boolean json;

    @Reference
    @Nullable
    Session session; // set by Karaf before execute

    @Override
    public final @Nullable Object execute() {
        Rpc port = rpc;
        NodeConfig node = config;
        if (port == null || node == null) {
            out().println("ERROR: this node is still starting: try again in a moment");
            return null;
        }
        List<String> servers = new ArrayList<>(List.of(node.address()));
        node.replicas().stream().filter(r -> !servers.contains(r)).forEach(servers::add);
        try {
            run(new AdminCalls(port, servers, READ_MAX, READ_MAX), node.address());
        } catch (FaultException e) {
            complain(e.fault());
        }
        return null;
    }

    final PrintStream out() {
        return Objects.requireNonNull(session).getConsole();
    }

    abstract void run(AdminCalls calls, String here);

    void show(Supplier<String> text, Supplier<Map<String, ?>> response) {
        out().print(json ? Json.success(response.get()) : text.get());
    }

    void show(HostReplies<?> replies, Supplier<String> text, Supplier<Map<String, ?>> response) {
        if (replies.errors().isEmpty()) show(text, response);
        else if (json)
            out().print(Json.failure(
                    response.get(), replies.errors().values().iterator().next()));
        else out().print(HostBlocks.errors(replies) + text.get());
    }

    private void complain(Fault fault) {
        if (json) out().print(Json.failure(null, fault));
        else out().println("ERROR: " + fault.message() + "\nERROR: " + fault.remedy());
    }
}
