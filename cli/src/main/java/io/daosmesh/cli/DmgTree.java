package io.daosmesh.cli;

import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The tree of dmg's commands. Only the groups that the command line names are made: each costs some milliseconds of every
 * start. What DAOS has and this release has not answers DER_NOSYS. Source: daos-admin facts 1.
 */
final class DmgTree {
    private static final Set<String> BUILT_GROUPS =
            Set.of("system", "sys", "storage", "sto", "pool", "server", "srv", "telemetry", "telem", "version");

    /** Commands of DAOS that are not built, by the path of their group. */
    private static final Map<String, List<String>> NOT_BUILT = Map.ofEntries(
            Map.entry(
                    "system",
                    List.of(
                            "drain",
                            "reintegrate",
                            "rebuild start",
                            "rebuild stop",
                            "self-heal eval",
                            "erase",
                            "cleanup",
                            "set-attr",
                            "get-attr",
                            "del-attr",
                            "set-prop",
                            "get-prop")),
            Map.entry(
                    "pool",
                    List.of(
                            "evict",
                            "query-targets",
                            "set-prop",
                            "get-prop",
                            "get-acl",
                            "overwrite-acl",
                            "update-acl",
                            "delete-acl",
                            "upgrade",
                            "rebuild start",
                            "rebuild stop",
                            "node-auth enable",
                            "node-auth disable",
                            "node-auth status",
                            "node-auth issue",
                            "node-auth revoke",
                            "node-auth add-ca",
                            "node-auth remove-ca",
                            "node-auth generate-ca",
                            "node-auth generate-cert")),
            Map.entry("storage", List.of("replace nvme", "nvme-rebind", "nvme-add-device")),
            Map.entry("telemetry", List.of("config")),
            Map.entry("config", List.of("generate")),
            Map.entry("network", List.of("scan")),
            Map.entry("support", List.of("collect-log")),
            Map.entry("container", List.of("set-owner")),
            Map.entry("firmware", List.of("query", "update")),
            Map.entry(
                    "check",
                    List.of("enable", "disable", "start", "stop", "query", "set-policy", "get-policy", "repair")));

    private static final Map<String, String> ALIASES = Map.of(
            "config",
            "cfg",
            "network",
            "net",
            "support",
            "supp",
            "container",
            "cont",
            "system",
            "sys",
            "storage",
            "sto",
            "server",
            "srv",
            "telemetry",
            "telem");

    private DmgTree() {}

    static CommandLine build(DmgRoot root, List<String> args) {
        CommandLine line = new CommandLine(root);
        boolean all = args.stream().noneMatch(DmgTree::isGroup);
        for (String group : List.of(
                "system",
                "storage",
                "pool",
                "server",
                "telemetry",
                "config",
                "network",
                "support",
                "container",
                "check",
                "firmware")) {
            String alias = ALIASES.getOrDefault(group, group);
            if (all || args.contains(group) || args.contains(alias)) line.addSubcommand(group(group, alias));
        }
        if (all || args.contains("version")) line.addSubcommand(new DmgVersion());
        return line;
    }

    private static boolean isGroup(String word) {
        return BUILT_GROUPS.contains(word) || NOT_BUILT.containsKey(word) || ALIASES.containsValue(word);
    }

    private static CommandLine group(String name, String alias) {
        CommandLine group = switch (name) {
            case "system" -> new CommandLine(new DmgSystem());
            case "storage" -> storage();
            case "pool" -> new CommandLine(new DmgPool()).addSubcommand(new DmgPoolCreate());
            case "server" -> new CommandLine(new DmgServer());
            case "telemetry" -> new CommandLine(new DmgTelemetry()).addSubcommand(new DmgTelemetry.Metrics());
            default -> empty(name, alias);
        };
        for (String path : NOT_BUILT.getOrDefault(name, List.of())) addNotBuilt(group, name, path);
        return group;
    }

    private static CommandLine storage() {
        return new CommandLine(new DmgStorage())
                .addSubcommand(new DmgStorage.Query())
                .addSubcommand(new DmgStorage.Led())
                .addSubcommand(new DmgStorage.Identify())
                .addSubcommand(new DmgStorage.SetState());
    }

    private static CommandLine empty(String name, String alias) {
        CommandSpec spec = CommandSpec.create().name(name);
        if (!alias.equals(name)) spec.aliases(alias);
        spec.usageMessage().description("Not built yet");
        return new CommandLine(spec);
    }

    private static void addNotBuilt(CommandLine group, String name, String path) {
        int blank = path.indexOf(' ');
        if (blank < 0) {
            group.addSubcommand(path, notBuilt(name + " " + path));
            return;
        }
        String middle = path.substring(0, blank);
        CommandLine between = group.getSubcommands().get(middle);
        if (between == null) {
            between = empty(middle, middle);
            group.addSubcommand(middle, between);
        }
        between.addSubcommand(path.substring(blank + 1), notBuilt(name + " " + path));
    }

    /** Takes whatever arguments DAOS's command takes. */
    private static CommandLine notBuilt(String path) {
        Callable<Integer> refusal = () -> {
            throw Fault.of(FaultCode.NOSYS, "dmg %s: %s", path, FaultCode.NOSYS.meaning())
                    .asException();
        };
        CommandSpec spec = CommandSpec.wrapWithoutInspection(refusal);
        spec.usageMessage().description("Not built yet: answers " + FaultCode.NOSYS.label());
        spec.addPositional(PositionalParamSpec.builder()
                .arity("0..*")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .hidden(true)
                .build());
        return new CommandLine(spec).setUnmatchedArgumentsAllowed(true).setUnmatchedOptionsArePositionalParams(true);
    }
}
