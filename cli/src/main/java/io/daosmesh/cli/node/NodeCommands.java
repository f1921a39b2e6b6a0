package io.daosmesh.cli.node;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.command.CommandLeaf;
import io.daosmesh.admin.command.CommandTree;
import io.daosmesh.admin.command.Dialog;
import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.cli.dmg.DmgConfig;
import io.daosmesh.cli.dmg.DmgRoot;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcClients;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.text.Printable;
import io.daosmesh.model.wire.PoolListReply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** dmg's own tree of commands, given to the console of the node. Threads: those of the sessions. */
@Component(immediate = true)
public final class NodeCommands implements CommandTree {
    /** Somebody waits with a finger on a key. */
    private static final Duration CANDIDATES_MAX = Duration.ofSeconds(1);

    private static final int CANDIDATES_COUNT_MAX = 1000;
    private static final Pattern LABEL = Pattern.compile("[A-Za-z0-9._:-]+");

    private final NodeConfig node;
    private final Rpc rpc;
    private final RpcClients clients;

    @Activate
    public NodeCommands(@Reference NodeConfig node, @Reference Rpc rpc, @Reference RpcClients clients) {
        this.node = node;
        this.rpc = rpc;
        this.clients = clients;
    }

    @Override
    public List<CommandLeaf> leaves() {
        Map<String, CommandLeaf> leaves = new LinkedHashMap<>();
        collect(Dmg.tree(), List.of(), leaves);
        return List.copyOf(leaves.values());
    }

    private static void collect(CommandLine line, List<String> path, Map<String, CommandLeaf> leaves) {
        CommandSpec spec = line.getCommandSpec();
        Set<CommandLine> below = new LinkedHashSet<>(line.getSubcommands().values());
        if (below.isEmpty()) {
            String[] description = spec.usageMessage().description();
            CommandLeaf leaf = new CommandLeaf(path, description.length == 0 ? "" : description[0]);
            leaves.put(leaf.name(), leaf);
        }
        for (CommandLine each : below)
            collect(
                    each,
                    Stream.concat(path.stream(), Stream.of(each.getCommandName()))
                            .toList(),
                    leaves);
    }

    @Override
    public List<String> candidates(CommandLeaf leaf, List<String> before, String word) {
        CommandLine line = Dmg.tree(leaf.path());
        HostedOptions.remove(line);
        for (String step : leaf.path())
            line = Objects.requireNonNull(line.getSubcommands().get(step));
        CommandSpec spec = line.getCommandSpec();
        if (word.startsWith("-"))
            return HostedOptions.names(spec).stream()
                    .filter(n -> n.startsWith(word))
                    .toList();
        return wantsPool(spec, before) ? pools(word) : List.of();
    }

    /** Words that are neither flags nor the values of flags come before. */
    private static boolean wantsPool(CommandSpec spec, List<String> before) {
        int plain = 0;
        for (int i = 0; i < before.size(); i++) {
            OptionSpec option = spec.findOption(before.get(i));
            if (option != null && option.arity().max() > 0) {
                if (i == before.size() - 1) return false;
                i++;
            } else if (!before.get(i).startsWith("-")) plain++;
        }
        int index = plain;
        return spec.positionalParameters().stream().anyMatch(p -> isPool(p, index));
    }

    private static boolean isPool(PositionalParamSpec parameter, int index) {
        return parameter.index().contains(index) && parameter.paramLabel().equals("POOL");
    }

    private List<String> pools(String word) {
        List<String> labels = new ArrayList<>();
        try {
            PoolListReply reply =
                    new AdminCalls(rpc, List.of(node.address()), CANDIDATES_MAX, CANDIDATES_MAX).poolList();
            for (var pool : reply.getPoolsList()) {
                String label = pool.getLabel();
                boolean fits = label.startsWith(word) && LABEL.matcher(label).matches();
                if (fits && labels.size() < CANDIDATES_COUNT_MAX) labels.add(label);
            }
        } catch (FaultException e) {
            // no names: the command itself says why there are none
        }
        return labels;
    }

    @Override
    public int run(CommandLeaf leaf, List<String> arguments, Dialog dialog) {
        List<String> words = new ArrayList<>(leaf.path());
        words.addAll(arguments);
        Optional<DmgConfig> written;
        try {
            written = DmgConfig.written(Optional.empty());
        } catch (FaultException e) {
            dialog.err().println(Printable.line("ERROR: dmg: " + e.fault().message()));
            return 1;
        }
        try (NodeHosting hosting = new NodeHosting(node, written, rpc, clients, dialog)) {
            return Dmg.run(
                    new DmgRoot(dialog.out(), dialog.err(), hosting.config(), hosting), words.toArray(String[]::new));
        }
    }
}
