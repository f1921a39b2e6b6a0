package io.daosmesh.cli.server;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.HostReplies;
import io.daosmesh.admin.view.Json;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.rpc.Role;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.NodeStatusReply;
import io.daosmesh.transport.ClientSettings;
import io.daosmesh.transport.ClientTransport;
import java.time.Duration;
import java.util.List;
import picocli.CommandLine.Command;

/** {@code daos_server ms}: the management service as the node of this machine sees it. Owner: the main thread. */
@Command(name = "ms", description = "Management service")
final class MsCommands extends Sub {
    private static final Duration ASK_MAX = Duration.ofSeconds(10);

    @Command(name = "status", description = "Whether the node of this machine is a replica, and who leads")
    int status() {
        ServerFile file = root().file();
        List<String> at = List.of(file.address());
        ClientSettings settings = new ClientSettings(Role.SERVER, file.config().system(), file.tls());
        try (ClientTransport transport = ClientTransport.openUnchecked(settings)) {
            AdminCalls calls = new AdminCalls(transport.rpc(), at, ASK_MAX, ASK_MAX);
            HostReplies<NodeStatusReply> asked = calls.nodeStatus(at, ASK_MAX);
            for (Fault fault : asked.errors().values()) {
                transport.checkCertificates();
                throw fault.remedy("start the node of " + file.path() + " first")
                        .asException();
            }
            NodeStatusReply node = asked.replies().values().iterator().next();
            return show(node, calls.leaderQuery());
        }
    }

    private int show(NodeStatusReply node, LeaderQueryReply ms) {
        String down = String.join(", ", ms.getDownReplicasList());
        return root().show(
                        () -> "         Node: " + node.getHost() + "\n"
                                + "      Replica: " + (node.getMsReplica() ? "yes" : "no") + "\n"
                                + "Current Leader: " + ms.getLeader() + "\n"
                                + "   Replica Set: " + String.join(", ", ms.getReplicasList()) + "\n"
                                + "  Unresponsive Replicas: " + down + "\n",
                        () -> Json.object(
                                "node",
                                node.getHost(),
                                "is_replica",
                                node.getMsReplica(),
                                "current_leader",
                                ms.getLeader(),
                                "replicas",
                                List.copyOf(ms.getReplicasList()),
                                "down_replicas",
                                List.copyOf(ms.getDownReplicasList())));
    }

    @Command(name = "recover", description = "Says what to do instead")
    int recover() {
        throw instead("a replica recovers by itself from its own log as soon as a majority of the replicas is up");
    }

    @Command(name = "restore", description = "Says what to do instead")
    int restore() {
        throw instead(
                "the database is in the folder control_metadata.path of each replica, and is not restored by itself");
    }

    private static RuntimeException instead(String text) {
        return Fault.of(FaultCode.NOTSUPPORTED, "%s", text)
                .remedy("start the nodes that dmg system leader-query -N names; of a lost machine put a copy of that"
                        + " folder in place while its node is stopped")
                .asException();
    }
}
