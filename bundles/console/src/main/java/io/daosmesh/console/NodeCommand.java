package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.HostBlocks;
import io.daosmesh.admin.view.Json;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.rpc.Rpc;
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
import org.apache.karaf.shell.support.CommandException;
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
    public final @Nullable Object execute() throws CommandException {
        Rpc port = rpc;
        NodeConfig node = config;
        if (port == null || node == null) throw failure("ERROR: this node is still starting: try again in a moment");
        List<String> servers = new ArrayList<>(List.of(node.address()));
        node.replicas().stream().filter(r -> !servers.contains(r)).forEach(servers::add);
        try {
            run(new AdminCalls(port, servers, READ_MAX, READ_MAX), node.address());
        } catch (FaultException e) {
            Fault fault = e.fault();
            throw failure(
                    json ? Json.failure(null, fault) : "ERROR: " + fault.message() + "\nERROR: " + fault.remedy());
        }
        return null;
    }

    final PrintStream out() {
        return Objects.requireNonNull(session).getConsole();
    }

    abstract void run(AdminCalls calls, String here) throws CommandException;

    void show(Supplier<String> text, Supplier<Map<String, ?>> response) {
        out().print(json ? Json.success(response.get()) : text.get());
    }

    void show(HostReplies<?> replies, Supplier<String> text, Supplier<Map<String, ?>> response)
            throws CommandException {
        if (replies.errors().isEmpty()) {
            show(text, response);
            return;
        }
        Fault first = replies.errors().values().iterator().next();
        throw failure(json ? Json.failure(response.get(), first) : HostBlocks.errors(replies) + text.get());
    }

    /** Karaf prints the text as it is, without a stack trace, and the command fails: a script sees exit status 1. */
    private static CommandException failure(String text) {
        return new CommandException(text.stripTrailing(), text);
    }
}
