package io.daosmesh.cli.dmg;

import io.daosmesh.cli.dmg.machine.DmgGenerate;
import io.daosmesh.cli.dmg.machine.DmgNetwork;
import io.daosmesh.cli.dmg.machine.DmgSupport;
import io.daosmesh.cli.dmg.machine.Meaningless;
import io.daosmesh.cli.dmg.machine.NvmeAddDevice;
import io.daosmesh.cli.dmg.machine.NvmeRebind;
import io.daosmesh.cli.dmg.upkeep.Cleanup;
import io.daosmesh.cli.dmg.upkeep.Erase;
import io.daosmesh.cli.dmg.upkeep.PoolRebuild;
import io.daosmesh.cli.dmg.upkeep.PoolUpgrade;
import io.daosmesh.cli.dmg.upkeep.SelfHeal;
import io.daosmesh.cli.dmg.upkeep.SystemRebuild;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * The tree of dmg's commands. Only the groups that the command line names are made: each costs some milliseconds of every
 * start. What DAOS has and this release has not answers DER_NOSYS. Source: daos-admin facts 1.
 */
final class DmgTree {
    private static final Set<String> BUILT_GROUPS = Set.of(
            "system",
            "sys",
            "storage",
            "sto",
            "pool",
            "server",
            "srv",
            "telemetry",
            "telem",
            "container",
            "cont",
            "config",
            "cfg",
            "network",
            "net",
            "support",
            "supp",
            "version");

    /** Commands of DAOS that are not built, by the path of their group. */
    private static final Map<String, List<String>> NOT_BUILT = Map.ofEntries(
            Map.entry(
                    "pool",
                    List.of(
                            "node-auth enable",
                            "node-auth disable",
                            "node-auth status",
                            "node-auth issue",
                            "node-auth revoke",
                            "node-auth add-ca",
                            "node-auth remove-ca",
                            "node-auth generate-ca",
                            "node-auth generate-cert")),
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
            if (all || args.contains(group) || args.contains(alias)) line.addSubcommand(group(group, alias, args));
        }
        if (all || args.contains("version")) line.addSubcommand(new DmgVersion());
        return line;
    }

    /**
     * DAOS gives two letters another meaning in one command: {@code -i} is a folder to {@code telemetry config}, {@code -d} are
     * streams to {@code server set-logmasks}.
     */
    static List<String> spelled(List<String> args) {
        List<String> folder = spelled(args, List.of("telemetry", "telem"), "config", "-i", "--install-dir");
        return spelled(folder, List.of("server", "srv"), "set-logmasks", "-d", "--streams");
    }

    private static List<String> spelled(
            List<String> args, List<String> groups, String name, String letter, String option) {
        int group = groups.stream().mapToInt(args::indexOf).max().orElse(-1);
        int command = args.lastIndexOf(name);
        if (group < 0 || command < group) return args;
        List<String> words = new ArrayList<>(args);
        for (int i = command + 1; i < words.size(); i++) if (words.get(i).equals(letter)) words.set(i, option);
        return words;
    }

    private static boolean isGroup(String word) {
        return BUILT_GROUPS.contains(word) || NOT_BUILT.containsKey(word) || ALIASES.containsValue(word);
    }

    private static CommandLine group(String name, String alias, List<String> args) {
        CommandLine group = switch (name) {
            case "system" ->
                methods(new DmgSystem(), args)
                        .addSubcommand(new SystemRebuild())
                        .addSubcommand(new SelfHeal())
                        .addSubcommand(new Cleanup())
                        .addSubcommand(new Erase());
            case "storage" -> storage(args);
            case "pool" ->
                methods(new DmgPool(), args)
                        .addSubcommand(new DmgPoolCreate())
                        .addSubcommand(new PoolRebuild())
                        .addSubcommand(new PoolUpgrade());
            case "container" -> methods(new DmgContainer(), args);
            case "network" -> new CommandLine(new DmgNetwork());
            case "config" -> new CommandLine(new DmgGenerate());
            case "support" -> new CommandLine(new DmgSupport());
            case "server" -> new CommandLine(new DmgServer());
            case "telemetry" -> new CommandLine(new DmgTelemetry()).addSubcommand(new DmgTelemetry.Metrics());
            default -> empty(name, alias);
        };
        List<String> notBuilt = NOT_BUILT.getOrDefault(name, List.of());
        boolean isBuilt = args.stream().anyMatch(group.getSubcommands()::containsKey);
        if (isBuilt && notBuilt.stream().noneMatch(path -> args.contains(path.replaceFirst(" .*", "")))) return group;
        for (String path : notBuilt) addNotBuilt(group, name, path);
        return group;
    }

    /** The group with the one command that the line names, or with all of them when it names none. */
    private static CommandLine methods(Object object, List<String> args) {
        CommandLine group = new CommandLine(object);
        List<Method> methods = CommandLine.getCommandMethods(object.getClass(), null);
        boolean all = methods.stream().noneMatch(m -> isNamed(m, args));
        for (Method m : methods) {
            if (all || isNamed(m, args)) group.addSubcommand(new CommandLine(m));
        }
        return group;
    }

    private static boolean isNamed(Method method, List<String> args) {
        Command command = method.getAnnotation(Command.class);
        return args.contains(command.name()) || Stream.of(command.aliases()).anyMatch(args::contains);
    }

    private static CommandLine storage(List<String> args) {
        return methods(new DmgStorage(), args)
                .addSubcommand(new DmgStorage.Query())
                .addSubcommand(new DmgStorage.Led())
                .addSubcommand(new DmgStorage.Identify())
                .addSubcommand(new DmgStorage.SetState())
                .addSubcommand(new DmgStorage.Replace())
                .addSubcommand(new NvmeRebind())
                .addSubcommand(new NvmeAddDevice());
    }

    private static CommandLine empty(String name, String alias) {
        CommandSpec spec = CommandSpec.create().name(name);
        if (!alias.equals(name)) spec.aliases(alias);
        spec.usageMessage()
                .description(Meaningless.fault(name).isEmpty() ? "Not built yet" : "Not supported: says why");
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
            throw Meaningless.fault(path)
                    .orElseGet(() -> Fault.of(FaultCode.NOSYS, "dmg %s: %s", path, FaultCode.NOSYS.meaning()))
                    .asException();
        };
        CommandSpec spec = CommandSpec.wrapWithoutInspection(refusal);
        spec.usageMessage()
                .description(Meaningless.fault(path)
                        .map(f -> "Not supported: " + f.text())
                        .orElse("Not built yet: answers " + FaultCode.NOSYS.label()));
        spec.addPositional(PositionalParamSpec.builder()
                .arity("0..*")
                .type(List.class)
                .auxiliaryTypes(String.class)
                .hidden(true)
                .build());
        return new CommandLine(spec).setUnmatchedArgumentsAllowed(true).setUnmatchedOptionsArePositionalParams(true);
    }
}
