package io.daosmesh.cli.pages;

import io.daosmesh.cli.agent.DaosAgent;
import io.daosmesh.cli.certs.Certs;
import io.daosmesh.cli.daos.Daos;
import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.cli.metrics.DaosMetrics;
import io.daosmesh.cli.server.DaosServer;
import io.daosmesh.cli.server.ServerRoot;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A program of the mesh and all its commands. What is described of programs is made from this list alone: a new one is added
 * here. Immutable but for the tree of picocli; one thread.
 *
 * @param section of the manual: 1 for users, 8 for administrators
 * @param tree without the commands that are not built
 * @param files that it reads or writes, with what they are for
 */
record Tool(String name, int section, CommandLine tree, Map<String, String> files) {
    private static final String NOT_BUILT = "Not built yet";
    private static final String CERTIFICATES = "/etc/daos/certs";

    /** All of them. */
    static List<Tool> all() {
        return List.of(
                new Tool(
                        "dmg",
                        8,
                        built(Dmg.tree()),
                        Map.of(
                                "/etc/daos/daos_control.yml",
                                "configuration: hosts and certificates",
                                CERTIFICATES,
                                "daosCA.crt, admin.crt, admin.key")),
                new Tool(
                        "daos",
                        1,
                        built(Daos.tree()),
                        Map.of("/var/run/daos_agent/daos_agent.sock", "socket of the agent")),
                new Tool(
                        "daos_agent",
                        8,
                        built(DaosAgent.tree()),
                        Map.of(
                                "/etc/daos/daos_agent.yml",
                                "configuration",
                                CERTIFICATES,
                                "daosCA.crt, agent.crt, agent.key")),
                new Tool("daos-certs", 8, built(Certs.tree()), Map.of()),
                new Tool(
                        "daos_server",
                        8,
                        built(DaosServer.tree(new ServerRoot(System.out, System.err))),
                        Map.of(
                                "/etc/daos/daos_server.yml",
                                "configuration",
                                CERTIFICATES,
                                "daosCA.crt, server.crt, server.key",
                                "/var/lib/daos_server",
                                "the node's own state",
                                "/var/log/daos_server",
                                "node.log and audit.log")),
                new Tool(
                        "daos_metrics",
                        8,
                        built(DaosMetrics.tree()),
                        Map.of("/etc/daos/daos_server.yml", "configuration: where the node's metrics are")));
    }

    /** Takes away what answers DER_NOSYS, and groups that hold nothing else. */
    private static CommandLine built(CommandLine tree) {
        for (Map.Entry<String, CommandLine> each :
                List.copyOf(tree.getCommandSpec().subcommands().entrySet())) {
            CommandSpec spec = each.getValue().getCommandSpec();
            boolean isKept = tree.getCommandSpec().subcommands().containsKey(each.getKey());
            if (!isKept) continue; // another name of one that is gone
            boolean wasGroup = !spec.subcommands().isEmpty();
            built(each.getValue());
            boolean isMarked =
                    String.join("", spec.usageMessage().description()).startsWith(NOT_BUILT);
            boolean isEmptyGroup = wasGroup && spec.subcommands().isEmpty();
            if (isEmptyGroup || isMarked && spec.subcommands().isEmpty())
                tree.getCommandSpec().removeSubcommand(each.getKey());
        }
        return tree;
    }
}
