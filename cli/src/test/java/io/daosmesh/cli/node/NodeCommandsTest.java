package io.daosmesh.cli.node;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.daosmesh.admin.command.CommandLeaf;
import io.daosmesh.admin.command.Dialog;
import io.daosmesh.cli.dmg.Dmg;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.port.NodeConfig;
import io.daosmesh.model.port.RpcClients;
import io.daosmesh.model.rpc.Endpoint;
import io.daosmesh.model.rpc.Rpc;
import io.daosmesh.model.rpc.RpcMessage;
import io.daosmesh.model.rpc.RpcMethod;
import io.daosmesh.model.rpc.RpcReply;
import io.daosmesh.model.wire.GroupMapMessage;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.PoolCreateRequest;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolFindReply;
import io.daosmesh.model.wire.PoolListReply;
import io.daosmesh.model.wire.SystemQueryReply;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** The commands of dmg as a node offers them to its console. */
class NodeCommandsTest {
    private static final Path ACL =
            Path.of("../karaf-assembly/src/main/karaf/assembly/etc/org.apache.karaf.command.acl.daos.cfg");
    private static final Set<String> OF_THE_CONSOLE_ALONE = Set.of("devices", "drivers");

    private final List<String> asked = new ArrayList<>();
    private final List<PoolCreateRequest> created = new ArrayList<>();
    private final Set<String> claims = new TreeSet<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final NodeCommands commands = commands(true);
    private final List<CommandLeaf> leaves = commands.leaves();

    private NodeCommands commands(boolean isInsecure) {
        NodeConfig.Tls tls =
                new NodeConfig.Tls(isInsecure, false, Optional.empty(), Optional.empty(), Optional.empty());
        NodeConfig node = new NodeConfig(
                "daos_server",
                "st1:10001",
                "0.0.0.0",
                10001,
                List.of("st1:10001"),
                "/st1",
                0,
                Path.of("none"),
                tls,
                List.of());
        RpcClients clients = (role, system, certificates, claim) -> new RpcClients.Client() {
            @Override
            public Rpc rpc() {
                claims.add(claim);
                return new Recorder("" + role);
            }

            @Override
            public void close() {
                asked.add("closed");
            }
        };
        return new NodeCommands(node, new Recorder("own"), clients);
    }

    @Test
    void shouldHaveATwinOfEveryCommandOfDmg() {
        Set<String> wanted = new TreeSet<>();
        collect(Dmg.tree(), "", wanted);

        List<String> names =
                commands.leaves().stream().map(CommandLeaf::name).sorted().toList();

        assertEquals(new ArrayList<>(wanted), names);
        assertTrue(wanted.size() > 60, wanted.toString());
        assertTrue(wanted.containsAll(Set.of("system-query", "pool-create", "storage-query-usage")), wanted.toString());
    }

    private static void collect(CommandLine line, String name, Set<String> leaves) {
        if (line.getSubcommands().isEmpty()) leaves.add(name);
        line.getSubcommands().values().forEach(below -> collect(below, name(name, below), leaves));
    }

    private static String name(String group, CommandLine below) {
        return (group.isEmpty() ? "" : group + "-") + below.getCommandName();
    }

    /** What no rule names is for the role "host" alone: a new command is decided there. */
    @Test
    void shouldSayOfEveryTwinWhoMayUseIt() throws IOException {
        Set<String> ruled = new TreeSet<>();
        for (String line : Files.readAllLines(ACL)) {
            if (!line.startsWith("#") && !line.isBlank()) ruled.add(line.replaceFirst(" *=.*", ""));
        }
        Set<String> wanted = new TreeSet<>(OF_THE_CONSOLE_ALONE);
        commands.leaves().forEach(leaf -> wanted.add(leaf.name()));

        assertEquals(new ArrayList<>(wanted), new ArrayList<>(ruled));
    }

    @Test
    void shouldCompleteTheFlagsOfEveryTwin() {
        for (CommandLeaf leaf : commands.leaves()) {
            List<String> flags = commands.candidates(leaf, List.of(), "--");

            assertTrue(flags.contains("--json"), leaf + " " + flags);
            for (String of : List.of("--log-file", "--config-path", "--insecure", "--debug", "--outfile"))
                assertFalse(flags.contains(of), leaf + " " + of);
        }
        assertEquals(List.of("--size"), commands.candidates(leaf("pool-create"), List.of("tank"), "--size"));
    }

    @Test
    void shouldCompleteNamesOfPoolsWhereAPoolIsWanted() {
        assertEquals(List.of("tank"), commands.candidates(leaf("pool-query"), List.of(), "t"));
        assertEquals(List.of("tank"), commands.candidates(leaf("pool-exclude"), List.of("--ranks", "1"), ""));
        assertEquals(List.of(), commands.candidates(leaf("pool-exclude"), List.of("--ranks"), ""));
        assertEquals(List.of(), commands.candidates(leaf("pool-query"), List.of("tank"), ""));
        assertEquals(List.of(), commands.candidates(leaf("system-query"), List.of(), ""));
    }

    @Test
    void shouldAskAsTheNodeAndChangeAsAnAdministrator() {
        assertEquals(0, run("system-query"), err.toString(StandardCharsets.UTF_8));
        assertTrue(out.toString(StandardCharsets.UTF_8).contains("Joined"));
        assertEquals(1, run("system-stop", "--force"));
        assertEquals(1, run("pool-destroy", "tank"));

        assertTrue(asked.contains("own SYSTEM_QUERY"), asked.toString());
        assertTrue(asked.contains("ADMIN SYSTEM_ACTION"), asked.toString());
        assertTrue(asked.contains("ADMIN POOL_DESTROY"), asked.toString());
        assertEquals(2, asked.stream().filter("closed"::equals).count());
    }

    @Test
    void shouldOnlyAskWithoutACertificateOfAnAdministrator() {
        NodeCommands secure = commands(false);

        assertEquals(0, secure.run(leaf("system-query"), List.of(), new Lines(null)));
        assertEquals(1, secure.run(leaf("system-stop"), List.of("--force"), new Lines(null)));

        assertEquals(List.of("own SYSTEM_QUERY", "own SYSTEM_QUERY"), asked);
        assertTrue(err.toString(StandardCharsets.UTF_8).startsWith("ERROR: dmg: DER_NO_PERM(-1001): this node has no"));
    }

    @Test
    void shouldEraseNothingUnlessSomebodySaysYes() {
        for (String answer : new String[] {null, "", "no"}) {
            assertEquals(1, commands.run(leaf("system-erase"), List.of(), new Lines(answer)));
        }

        assertFalse(asked.contains("ADMIN SYSTEM_ERASE"), asked.toString());
        commands.run(leaf("system-erase"), List.of(), new Lines("yes"));
        assertTrue(asked.contains("ADMIN SYSTEM_ERASE"), asked.toString());
    }

    @Test
    void shouldSendNothingToHostsItDoesNotKnow() {
        assertEquals(1, run("storage-scan", "-l", "elsewhere:22"));
        assertEquals(1, run("storage-scan", "-l", "st1:22"));
        assertEquals(1, run("telemetry-metrics-list", "-l", "elsewhere"));

        assertEquals(List.of(), asked);
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("none of the hosts this console may ask"));
    }

    @Test
    void shouldHaveNoFlagForFilesOfTheMachine() {
        assertEquals(1, run("pool-get-acl", "tank", "--outfile", "x"));
        assertEquals(1, run("pool-update-acl", "tank", "--acl-file", "/etc/passwd"));
        assertEquals(1, run("pool-create", "tank", "--size", "1GB", "-a", "/etc/passwd"));
        assertEquals(1, run("system-query", "--log-file", "x"));
        assertEquals(1, run("system-query", "-o", "/etc/passwd"));

        assertEquals(List.of(), asked);
        assertFalse(Files.exists(Path.of("x")));
    }

    /** As dmg takes its caller; the process is the node's, which owns nothing. */
    @Test
    void shouldActForWhoIsAtTheConsole() {
        run("pool-create", "tank", "--scm-size", "1GB", "--nvme-size", "1GB");
        run("pool-create", "tank", "--scm-size", "1GB", "--nvme-size", "1GB", "--user", "bob");

        assertEquals(
                List.of("ada@", "bob@"),
                created.stream().map(PoolCreateRequest::getUser).toList(),
                err.toString(StandardCharsets.UTF_8));
        assertEquals(Set.of("console:ada"), claims);
    }

    @Test
    void shouldShowNoFlagInTheHelpThatIsRefused() {
        for (CommandLeaf leaf : leaves) {
            out.reset();
            assertEquals(0, run(leaf.name(), "--help"), leaf + err.toString(StandardCharsets.UTF_8));
            String help = out.toString(StandardCharsets.UTF_8);

            CommandLine line = Dmg.tree(leaf.path());
            for (String step : leaf.path()) line = line.getSubcommands().get(step);
            List<String> offered = commands.candidates(leaf, List.of(), "--");
            for (CommandLine.Model.OptionSpec option : line.getCommandSpec().options()) {
                boolean isShown = help.matches("(?s).* " + option.longestName() + "[ =,\\]\n].*");
                assertEquals(offered.contains(option.longestName()), isShown, option + help);
            }
            assertTrue(help.contains(" " + leaf.path().get(leaf.path().size() - 1)), help);
        }
    }

    /** Of commands for others than the owner of the machine; what config generate takes is only printed. */
    @Test
    void shouldCompleteNoFlagThatNamesAFile() throws IOException {
        Set<String> ofTheOwner = new TreeSet<>(Set.of("config-generate"));
        for (String line : Files.readAllLines(ACL))
            if (line.matches(".* = host")) ofTheOwner.add(line.replaceFirst(" *=.*", ""));
        List<String> wrong = new ArrayList<>();

        for (CommandLeaf leaf : commands.leaves()) {
            if (ofTheOwner.contains(leaf.name())) continue;
            CommandLine line = Dmg.tree(leaf.path());
            for (String step : leaf.path()) line = line.getSubcommands().get(step);
            List<String> offered = commands.candidates(leaf, List.of(), "-");
            line.getCommandSpec().options().stream()
                    .filter(o -> o.paramLabel().matches("FILE|DIR|PATH|FOLDER"))
                    .map(o -> o.longestName())
                    .filter(offered::contains)
                    .forEach(o -> wrong.add(leaf.name() + " " + o));
        }

        assertEquals(4, ofTheOwner.size());
        assertEquals(List.of(), wrong);
    }

    /** What was taken out must not shift the values of what is left. */
    @Test
    void shouldTakeTheOtherFlagsOfTheSameCommand() {
        assertEquals(1, run("pool-get-acl", "tank", "--verbose"));
        assertEquals(1, run("pool-update-acl", "tank", "--entry", "A::ada@:rw"));

        assertEquals(
                List.of("ADMIN POOL_ACL", "ADMIN POOL_ACL"),
                asked.stream().filter(a -> a.endsWith("POOL_ACL")).toList(),
                err.toString(StandardCharsets.UTF_8));
    }

    private CommandLeaf leaf(String name) {
        return leaves.stream().filter(l -> l.name().equals(name)).findFirst().orElseThrow();
    }

    private int run(String name, String... arguments) {
        return commands.run(leaf(name), List.of(arguments), new Lines(null));
    }

    private final class Lines implements Dialog {
        private final String answer;

        Lines(String answer) {
            this.answer = answer;
        }

        @Override
        public PrintStream out() {
            return new PrintStream(out, true, StandardCharsets.UTF_8);
        }

        @Override
        public PrintStream err() {
            return new PrintStream(err, true, StandardCharsets.UTF_8);
        }

        @Override
        public String user() {
            return "ada";
        }

        @Override
        public String ask(String prompt) {
            return answer;
        }
    }

    /** Answers the questions of these tests, refuses the rest, and writes down who was asked as whom. */
    private final class Recorder implements Rpc {
        private final String name;

        Recorder(String name) {
            this.name = name;
        }

        @Override
        public <T> Mono<T> call(
                Endpoint to, RpcMethod method, RpcMessage request, Duration deadline, RpcReply.Decoder<T> decoder) {
            asked.add(name + " " + method);
            if (request.body() instanceof PoolCreateRequest r) created.add(r);
            return Mono.fromCallable(() -> {
                byte[] body = switch (method) {
                    case SYSTEM_QUERY ->
                        SystemQueryReply.newBuilder()
                                .setGroupMap(GroupMapMessage.newBuilder()
                                        .addMembers(MemberMessage.newBuilder()
                                                .setState(MemberMessage.State.JOINED)
                                                .setTargetCount(1)
                                                .setAddress("st1:10001")))
                                .build()
                                .toByteArray();
                    case POOL_LIST ->
                        PoolListReply.newBuilder()
                                .addPools(PoolEntryMessage.newBuilder().setLabel("tank"))
                                .addPools(PoolEntryMessage.newBuilder().setLabel("t\u001b[0m"))
                                .build()
                                .toByteArray();
                    case POOL_FIND ->
                        PoolFindReply.newBuilder()
                                .setEntry(PoolEntryMessage.newBuilder().setPool(Ids.bytes(new UUID(1, 2))))
                                .build()
                                .toByteArray();
                    case STORAGE_SCAN -> new byte[0];
                    default -> throw Fault.of(FaultCode.INVAL, "refused").asException();
                };
                return decoder.decode(new RpcReply(ByteBuffer.wrap(body), RpcMessage.NO_DATA));
            });
        }

        @Override
        public Mono<Void> fire(Endpoint to, RpcMethod method, RpcMessage request) {
            return Mono.empty();
        }

        @Override
        public <T> Flux<T> stream(Endpoint to, RpcMethod method, RpcMessage request, RpcReply.Decoder<T> decoder) {
            return Flux.empty();
        }

        @Override
        public AutoCloseable onPeerClosed(PeerListener listener) {
            return () -> {};
        }
    }
}
