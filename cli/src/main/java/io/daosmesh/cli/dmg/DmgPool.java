package io.daosmesh.cli.dmg;

import io.daosmesh.admin.grammar.KeyValues;
import io.daosmesh.admin.grammar.RankSet;
import io.daosmesh.admin.view.AclView;
import io.daosmesh.admin.view.PoolView;
import io.daosmesh.admin.view.PropertyView;
import io.daosmesh.admin.view.TargetView;
import io.daosmesh.cli.AclFiles;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.wire.AclReply;
import io.daosmesh.model.wire.AclRequest;
import io.daosmesh.model.wire.PoolQueryReply;
import io.daosmesh.model.wire.PoolTargetsRequest;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

/** {@code dmg pool}. Owner: the main thread. */
@Command(name = "pool", description = "Pools", addMethodSubcommands = false)
final class DmgPool {
    @ParentCommand
    DmgRoot root = new DmgRoot(System.out, System.err);

    @Command(name = "list", aliases = "ls", description = "All pools")
    int list(
            @Option(
                            names = {"-v", "--verbose"},
                            description = "more about each pool")
                    boolean verbose,
            @Option(
                            names = {"-n", "--no-query"},
                            description = "without asking each pool")
                    boolean noQuery) {
        return list(root, verbose, noQuery);
    }

    static int list(DmgRoot root, boolean verbose, boolean noQuery) {
        List<PoolView.Row> rows = PoolView.rows(root.calls(), noQuery);
        if (!root.json) root.err.print(PoolView.listErrors(rows));
        return root.show(
                () -> verbose ? PoolView.listVerbose(rows) : PoolView.list(rows), () -> PoolView.listJson(rows));
    }

    @Command(name = "query", description = "Health, space and rebuild of a pool")
    int query(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-e", "--show-enabled"},
                            description = "enabled ranks, too")
                    boolean enabled,
            @Option(
                            names = {"-b", "--show-disabled"},
                            hidden = true,
                            description = "always shown")
                    boolean disabled,
            @Option(
                            names = {"-t", "--health-only"},
                            description = "without space")
                    boolean healthOnly) {
        PoolQueryReply reply = root.calls().poolQuery(pool);
        PoolQueryReply shown = healthOnly ? reply.toBuilder().clearTiers().build() : reply;
        return root.show(
                () -> {
                    String text = PoolView.query(shown, enabled);
                    return healthOnly ? text.substring(0, text.indexOf("Pool space info:")) : text;
                },
                () -> PoolView.queryJson(shown));
    }

    @Command(name = "query-targets", description = "State and space of targets of a rank")
    int queryTargets(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--rank"},
                            required = true,
                            paramLabel = "RANK",
                            description = "whose targets")
                    int rank,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets, e.g. 0,2-3")
                    @Nullable
                    String indexes) {
        List<Integer> wanted = indexes == null ? List.of() : RankSet.parse(indexes);
        List<TargetView.Target> targets = TargetView.of(root.calls().poolQueryTargets(pool), rank, wanted);
        return root.show(() -> TargetView.text(targets), () -> TargetView.json(targets));
    }

    @Command(name = "destroy", description = "Destroy a pool with all its data")
    int destroy(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--recursive"},
                            description = "with its containers")
                    boolean recursive,
            @Option(
                            names = {"-f", "--force"},
                            description = "in spite of open handles")
                    boolean force) {
        root.calls().poolDestroy(pool, recursive, force);
        return root.show(() -> "Pool-destroy command succeeded\n", () -> null);
    }

    @Command(name = "exclude", description = "Take targets out of a pool")
    int exclude(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks", "--rank"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets")
                    @Nullable
                    String targets,
            @Option(
                            names = {"-f", "--force"},
                            description = "without looking at the redundancy factor")
                    boolean force) {
        return change(pool, PoolTargetsRequest.Op.EXCLUDE, ranks, targets, force);
    }

    @Command(name = "reintegrate", aliases = "reint", description = "Take targets back into a pool")
    int reintegrate(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks", "--rank"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets")
                    @Nullable
                    String targets) {
        return change(pool, PoolTargetsRequest.Op.REINTEGRATE, ranks, targets, false);
    }

    @Command(name = "drain", description = "Move the data off targets, then take them out")
    int drain(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks", "--rank"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks,
            @Option(
                            names = {"-t", "--target-idx"},
                            paramLabel = "INDEXES",
                            description = "only these targets")
                    @Nullable
                    String targets) {
        return change(pool, PoolTargetsRequest.Op.DRAIN, ranks, targets, false);
    }

    @Command(name = "extend", description = "Add ranks to a pool")
    int extend(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-r", "--ranks"},
                            required = true,
                            paramLabel = "RANKS",
                            description = "ranks")
                    String ranks) {
        return change(pool, PoolTargetsRequest.Op.EXTEND, ranks, null, false);
    }

    @Command(name = "set-prop", description = "Set properties of a pool")
    int setProperties(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Parameters(paramLabel = "KEY:VALUE[,...]", description = "e.g. self_heal:exclude;delay_rebuild")
                    String set) {
        root.calls().poolProperties(pool, KeyValues.parse(set));
        return root.show(() -> "pool set-prop succeeded\n", () -> null);
    }

    @Command(name = "get-prop", description = "Properties of a pool")
    int getProperties(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Parameters(paramLabel = "KEY[,...]", arity = "0..1", description = "only these") @Nullable String keys) {
        PropertyView shown = PropertyView.ofPool(root.calls().poolProperties(pool, Map.of()), DmgSystem.keys(keys));
        return root.show(() -> "Pool " + pool + " properties:\n" + shown.text(), shown::json);
    }

    @Command(name = "evict", description = "End all handles of a pool")
    int evict(@Parameters(paramLabel = "POOL", description = "label or UUID") String pool) {
        List<Integer> left = root.calls().poolEvict(pool).getUnconfirmedRanksList();
        if (left.isEmpty()) return root.show(() -> "Pool-evict command succeeded\n", () -> null);
        throw Fault.of(
                        FaultCode.TIMEDOUT,
                        "the handles have ended, but ranks %s have not confirmed that they let nobody in with them",
                        left)
                .remedy("run the command again, or see dmg system query for these ranks")
                .asException();
    }

    @Command(name = "get-acl", description = "Who may do what with a pool")
    int getAcl(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(names = "--outfile", paramLabel = "FILE", description = "write it to a file") @Nullable
                    String outfile,
            @Option(
                            names = {"-f", "--force"},
                            description = "replace the file")
                    boolean force,
            @Option(
                            names = {"-v", "--verbose"},
                            description = "each entry in words, too")
                    boolean verbose) {
        AclReply reply = root.calls().poolAcl(pool, AclRequest.Op.GET, List.of(), "");
        String text = AclView.text(reply, verbose);
        String said = outfile == null ? text : AclFiles.write(outfile, text, force);
        return root.show(() -> said, () -> AclView.json(reply));
    }

    @Command(name = "overwrite-acl", description = "Replace the access control list of a pool")
    int overwriteAcl(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-a", "--acl-file"},
                            required = true,
                            paramLabel = "FILE",
                            description = "the new list")
                    String file) {
        return changeAcl(pool, AclRequest.Op.OVERWRITE, AclFiles.read(file), "");
    }

    @Command(name = "update-acl", description = "Add or change entries of a pool's access control list")
    int updateAcl(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-a", "--acl-file"},
                            paramLabel = "FILE",
                            description = "entries, one a line")
                    @Nullable
                    String file,
            @Option(
                            names = {"-e", "--entry"},
                            paramLabel = "ENTRY",
                            description = "one entry, e.g. A::ada@:rw")
                    @Nullable
                    String entry) {
        return changeAcl(pool, AclRequest.Op.UPDATE, AclFiles.either(file, entry), "");
    }

    @Command(name = "delete-acl", description = "Take an entry out of a pool's access control list")
    int deleteAcl(
            @Parameters(paramLabel = "POOL", description = "label or UUID") String pool,
            @Option(
                            names = {"-p", "--principal"},
                            required = true,
                            paramLabel = "PRINCIPAL",
                            description = "u:NAME@, g:NAME@, OWNER@, GROUP@ or EVERYONE@")
                    String principal) {
        return changeAcl(pool, AclRequest.Op.DELETE, List.of(), AclFiles.principal(principal));
    }

    private int changeAcl(String pool, AclRequest.Op operation, List<String> entries, String principal) {
        AclReply reply = root.calls().poolAcl(pool, operation, entries, principal);
        String name = operation.name().toLowerCase(java.util.Locale.ROOT);
        return root.show(
                () -> "Pool-" + name + "-ACL command succeeded, ID: " + pool + "\n" + AclView.text(reply, false),
                () -> AclView.json(reply));
    }

    private int change(
            String pool, PoolTargetsRequest.Op operation, String ranks, @Nullable String targets, boolean force) {
        List<Integer> wanted = RankSet.parse(ranks);
        if (wanted.isEmpty()) throw DmgSystem.invalid("no ranks specified");
        int version = root.calls()
                .poolTargets(pool, operation, wanted, targetIndexes(targets), force)
                .getMapVersion();
        String name = switch (operation) {
            case EXCLUDE -> "Exclude";
            case REINTEGRATE -> "Reintegration";
            case DRAIN -> "Drain";
            case EXTEND, UNRECOGNIZED -> "Extend";
        };
        return root.show(
                () -> name + " command succeeded\n",
                () -> io.daosmesh.admin.view.Json.object("ranks", wanted, "map_version", version));
    }

    private static List<Integer> targetIndexes(@Nullable String text) {
        if (text == null || text.isBlank()) return List.of();
        return Stream.of(text.split(",", -1))
                .map(part -> {
                    if (!part.trim().matches("[0-9]{1,5}")) {
                        throw Fault.of(FaultCode.INVAL, "parsing target list: '%s' is not a number", part)
                                .asException();
                    }
                    return Integer.parseInt(part.trim());
                })
                .toList();
    }
}
