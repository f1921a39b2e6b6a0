package io.daosmesh.cli.dmg;

import io.daosmesh.admin.RankPools;
import io.daosmesh.admin.grammar.HostList;
import io.daosmesh.admin.grammar.KeyValues;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.admin.view.Json;
import io.daosmesh.admin.view.PropertyView;
import io.daosmesh.admin.view.RankSelection;
import io.daosmesh.admin.view.SystemView;
import io.daosmesh.admin.view.SystemView.Members;
import io.daosmesh.admin.view.TargetView;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.pool.MemberState;
import io.daosmesh.model.wire.LeaderQueryReply;
import io.daosmesh.model.wire.MemberMessage;
import io.daosmesh.model.wire.RankResultMessage;
import io.daosmesh.model.wire.SystemActionReply;
import io.daosmesh.model.wire.SystemActionRequest;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code dmg system}: members of the system. Owner: the main thread. */
@Command(name = "system", aliases = "sys", description = "Members of the system", addMethodSubcommands = false)
final class DmgSystem {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    /** Which ranks a command is about; none given = all. */
    static final class RankList {
        @Option(
                names = {"-r", "--ranks"},
                paramLabel = "RANKS",
                description = "ranks, e.g. 0,5-10")
        @Nullable
        String ranks;

        @Option(
                names = {"--rank-hosts", "--host-ranks"},
                paramLabel = "HOSTS",
                description = "ranks of these hosts")
        @Nullable
        String rankHosts;

        boolean isEmpty() {
            return ranks == null && rankHosts == null;
        }
    }

    @Command(name = "query", description = "States of the members")
    int query(
            @ArgGroup(exclusive = false) @Nullable RankList list,
            @Option(
                            names = {"-v", "--verbose"},
                            description = "more about each rank")
                    boolean verbose,
            @Option(names = "--not-ok", description = "only ranks that are not Joined") boolean notOk,
            @Option(names = "--with-states", paramLabel = "STATES", description = "only ranks in these states")
                    @Nullable
                    String states) {
        if (notOk && states != null) {
            throw invalid("--not-ok and --with-states options cannot be set together");
        }
        Set<MemberState> wanted = states == null ? Set.of() : states(states);
        Members found = select(list);
        List<MemberMessage> shown = found.members().stream()
                .filter(m -> !notOk || m.getState() != MemberMessage.State.JOINED)
                .filter(m -> wanted.isEmpty() || wanted.stream().anyMatch(s -> s.toWire() == m.getState()))
                .toList();
        Members some = new Members(found.system(), found.mapVersion(), shown, found.absentRanks(), found.absentHosts());
        Members all =
                verbose ? some.with(root.calls().nodeStatus(some.livelyNodes()).replies()) : some;
        return root.show(
                () -> verbose ? SystemView.queryVerbose(all) : SystemView.query(all), () -> SystemView.queryJson(all));
    }

    @Command(name = "stop", description = "Stop ranks; the servers keep running")
    int stop(
            @ArgGroup(exclusive = false) @Nullable RankList list,
            @Option(
                            names = {"-f", "--force"},
                            description = "without preparation")
                    boolean force) {
        return act(SystemActionRequest.Action.STOP, list, force);
    }

    @Command(name = "start", description = "Start stopped ranks")
    int start(@ArgGroup(exclusive = false) @Nullable RankList list) {
        return act(SystemActionRequest.Action.START, list, false);
    }

    @Command(name = "exclude", description = "Exclude ranks by the administrator's will")
    int exclude(@ArgGroup(exclusive = false) @Nullable RankList list) {
        return mark(SystemActionRequest.Action.EXCLUDE, list);
    }

    @Command(name = "clear-exclude", description = "Let excluded ranks join again")
    int clearExclude(@ArgGroup(exclusive = false) @Nullable RankList list) {
        return mark(SystemActionRequest.Action.CLEAR_EXCLUDE, list);
    }

    @Command(name = "drain", description = "Move the data off ranks in every pool, then take them out")
    int drain(@ArgGroup(exclusive = false) @Nullable RankList list) {
        Set<Integer> ranks = named(list);
        return ofPools("drain", new RankPools(root.calls()).drain(ranks));
    }

    @Command(name = "reintegrate", aliases = "reint", description = "Take ranks back into every pool that misses them")
    int reintegrate(@ArgGroup(exclusive = false) @Nullable RankList list) {
        Set<Integer> ranks = named(list);
        return ofPools("reintegrate", new RankPools(root.calls()).reintegrate(ranks));
    }

    private int ofPools(String operation, List<RankPools.Result> results) {
        List<String> failed = results.stream()
                .filter(r -> r.error().isPresent())
                .map(RankPools.Result::pool)
                .toList();
        if (failed.isEmpty())
            return root.show(() -> TargetView.results(results), () -> TargetView.resultsJson(results));
        Fault fault = Fault.of(
                        FaultCode.MISC,
                        "%s failed on %d of %d pools: %s",
                        operation,
                        failed.size(),
                        results.size(),
                        String.join(", ", failed))
                .remedy("see the reason of each in the table, mend it, and run the command again");
        if (root.json) root.answer(Json.failure(TargetView.resultsJson(results), fault));
        else root.say(TargetView.results(results));
        return root.complain(fault);
    }

    @Command(name = "leader-query", description = "Leader and replicas of the management service")
    int leaderQuery(
            @Option(
                            names = {"-N", "--down-replicas"},
                            description = "only replicas that do not answer")
                    boolean down) {
        LeaderQueryReply reply = root.calls().leaderQuery();
        return root.show(
                () -> down ? SystemView.downReplicas(reply) : SystemView.leader(reply),
                () -> SystemView.leaderJson(reply));
    }

    @Command(name = "set-prop", description = "Set properties of the system")
    int setProperties(
            @Parameters(paramLabel = "KEY:VALUE[,...]", description = "e.g. self_heal:exclude;pool_exclude")
                    String set) {
        root.calls().systemProperties(KeyValues.parse(set));
        return root.show(() -> "system set-prop succeeded\n", () -> null);
    }

    @Command(name = "get-prop", description = "Properties of the system")
    int getProperties(
            @Parameters(paramLabel = "KEY[,...]", arity = "0..1", description = "only these") @Nullable String keys) {
        PropertyView shown = PropertyView.ofSystem(root.calls().systemProperties(Map.of()), keys(keys));
        return root.show(shown::text, shown::json);
    }

    @Command(name = "set-attr", description = "Note attributes of the system")
    int setAttributes(
            @Parameters(paramLabel = "KEY:VALUE[,...]", description = "e.g. site:north,contact:ops") String set) {
        root.calls().setAttributes(KeyValues.attributes(set));
        return root.show(() -> "system set-attr succeeded\n", () -> null);
    }

    @Command(name = "get-attr", description = "Attributes of the system")
    int getAttributes(
            @Parameters(paramLabel = "KEY[,...]", arity = "0..1", description = "only these") @Nullable String keys) {
        PropertyView shown = PropertyView.attributes(root.calls().attributes(), keys(keys));
        return root.show(shown::text, shown::json);
    }

    @Command(name = "del-attr", description = "Remove attributes of the system")
    int removeAttributes(@Parameters(paramLabel = "KEY[,...]", description = "which") String keys) {
        List<String> named = keys(keys);
        if (named.isEmpty()) throw invalid("no attribute is named");
        root.calls().removeAttributes(named);
        return root.show(() -> "system del-attr succeeded\n", () -> null);
    }

    /** Of a {@code k[,k]} list. */
    static List<String> keys(@Nullable String text) {
        return text == null
                ? List.of()
                : List.of(text.split(",")).stream()
                        .map(String::trim)
                        .filter(k -> !k.isEmpty())
                        .toList();
    }

    @Command(name = "list-pools", description = "Pools of the system")
    int listPools(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "more about each pool")
                    boolean verbose,
            @Option(
                            names = {"-n", "--no-query"},
                            description = "without asking each pool")
                    boolean noQuery) {
        return DmgPool.list(root, verbose, noQuery);
    }

    @Command(name = "events", description = "RAS events of all nodes")
    int events(
            @Option(names = "--follow", description = "wait for more until interrupted") boolean follow,
            @Option(names = "--since", paramLabel = "TIME", description = "not older, e.g. 2026-01-31T18:00:00Z")
                    @Nullable
                    String since,
            @Option(names = "--severity", paramLabel = "SEVERITY", description = "ERROR, WARNING or NOTICE: not milder")
                    @Nullable
                    String severity,
            @Option(names = "--id", paramLabel = "ID[,...]", description = "only these events") @Nullable String ids) {
        return new DmgEvents(root, follow, DmgEvents.filter(since, severity, ids)).run();
    }

    private int act(SystemActionRequest.Action action, @Nullable RankList list, boolean force) {
        Members found = select(list);
        List<Integer> ranks = list == null || list.isEmpty() ? List.of() : ranks(found);
        if (list != null && !list.isEmpty() && ranks.isEmpty()) {
            root.show(
                    () -> SystemView.results(List.of(), found.absentRanks()), () -> SystemView.resultsJson(List.of()));
            return complainOfAbsent(found);
        }
        SystemActionReply reply = root.calls().systemAction(action, ranks, force);
        List<RankResultMessage> results = reply.getResultsList();
        root.show(() -> SystemView.results(results, found.absentRanks()), () -> SystemView.resultsJson(results));
        List<Integer> failed = results.stream()
                .filter(RankResultMessage::getErrored)
                .map(RankResultMessage::getRank)
                .toList();
        if (failed.isEmpty()) return complainOfAbsent(found);
        return root.complain(Fault.of(
                FaultCode.MISC,
                "system %s failed: failed %s %s",
                action.name().toLowerCase(Locale.ROOT),
                failed.size() == 1 ? "rank" : "ranks",
                RankSet.plain(failed)));
    }

    /** Exit status: to act on a rank or host that is not there is a mistake; to ask for it is none. */
    private int complainOfAbsent(Members found) {
        if (found.absentRanks().isEmpty() && found.absentHosts().isEmpty()) return 0;
        String what = found.absentRanks().isEmpty()
                ? "hosts " + HostList.fold(found.absentHosts())
                : "ranks " + RankSet.plain(found.absentRanks());
        return root.complain(Fault.of(FaultCode.NONEXIST, "the system has no %s", what)
                .remedy("see dmg system query for the ranks there are"));
    }

    /** Members that have to be named, all of them there. */
    private Members mustSelect(@Nullable RankList list) {
        if (list == null || list.isEmpty()) throw invalid("no ranks or hosts specified");
        Members found = select(list);
        if (!found.absentRanks().isEmpty()) throw invalid("invalid rank(s): " + RankSet.plain(found.absentRanks()));
        if (!found.absentHosts().isEmpty()) throw invalid("invalid host(s): " + HostList.fold(found.absentHosts()));
        return found;
    }

    /** Ranks whose data may be moved: not those that the administrator has excluded from the system. */
    private Set<Integer> named(@Nullable RankList list) {
        Members found = mustSelect(list);
        List<Integer> excluded = found.members().stream()
                .filter(m -> m.getState() == MemberMessage.State.ADMIN_EXCLUDED)
                .map(MemberMessage::getRank)
                .toList();
        if (!excluded.isEmpty()) {
            throw Fault.of(FaultCode.INVAL, "ranks %s are administratively excluded", RankSet.plain(excluded))
                    .remedy("run dmg system clear-exclude first")
                    .asException();
        }
        return Set.copyOf(ranks(found));
    }

    private int mark(SystemActionRequest.Action action, @Nullable RankList list) {
        Members found = mustSelect(list);
        List<RankResultMessage> results =
                root.calls().systemAction(action, ranks(found), false).getResultsList();
        List<RankResultMessage> bad =
                results.stream().filter(RankResultMessage::getErrored).toList();
        List<Integer> done = results.stream()
                .filter(r -> !r.getErrored())
                .map(RankResultMessage::getRank)
                .toList();
        root.show(
                () -> done.isEmpty() ? "" : "updated ranks: " + RankSet.plain(done) + "\n",
                () -> SystemView.resultsJson(results));
        return bad.isEmpty()
                ? 0
                : root.complain(Fault.of(
                        FaultCode.MISC,
                        "rank %s: %s",
                        bad.get(0).getRank(),
                        bad.get(0).getMessage()));
    }

    /** Members the list names, by rank or by host; all without a list. */
    private Members select(@Nullable RankList list) {
        RankSelection wanted = list == null ? RankSelection.ALL : RankSelection.parse(list.ranks, list.rankHosts);
        return wanted.among(root.calls().systemQuery(List.of()));
    }

    private static List<Integer> ranks(Members found) {
        return found.members().stream().map(MemberMessage::getRank).toList();
    }

    private static Set<MemberState> states(String text) {
        return List.of(text.split(",", -1)).stream()
                .map(name -> List.of(MemberState.values()).stream()
                        .filter(s -> s.label().equalsIgnoreCase(name.trim()))
                        .findFirst()
                        .orElseThrow(() -> invalid("invalid state name '" + name + "'")))
                .collect(Collectors.toSet());
    }

    static RuntimeException invalid(String text) {
        return Fault.of(FaultCode.INVAL, text).asException();
    }
}
