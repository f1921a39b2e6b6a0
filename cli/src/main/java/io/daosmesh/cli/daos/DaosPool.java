package io.daosmesh.cli.daos;

import io.daosmesh.admin.view.PoolView;
import io.daosmesh.client.Blocking;
import io.daosmesh.client.DaosClient;
import io.daosmesh.client.OpenMode;
import io.daosmesh.client.Pool;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.id.Ids;
import io.daosmesh.model.wire.PoolEntryMessage;
import io.daosmesh.model.wire.PoolQueryReply;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/** {@code daos pool}. */
@Command(
        name = "pool",
        description = "Pools.",
        mixinStandardHelpOptions = true,
        subcommands = {DaosPool.ListPools.class, DaosPool.Query.class})
final class DaosPool implements DaosCommand.Group {
    private static final int QUERIES_AT_ONCE = 8;

    @ParentCommand
    private DaosCommand.@Nullable Group parent;

    @Override
    public Daos daos() {
        return java.util.Objects.requireNonNull(parent).daos();
    }

    @Command(
            name = "list",
            aliases = "ls",
            description = "Lists the pools of the system.",
            mixinStandardHelpOptions = true)
    static final class ListPools extends DaosCommand {
        @Option(
                names = {"-v", "--verbose"},
                description = "More columns.")
        private boolean verbose;

        @Override
        Answer run() {
            DaosClient client = session().client();
            List<PoolView.Row> rows = Blocking.get(Flux.fromIterable(Blocking.get(client.listPools()))
                    .flatMapSequential(entry -> row(client, entry), QUERIES_AT_ONCE)
                    .collectList());
            String text = verbose ? PoolView.listVerbose(rows) : PoolView.list(rows);
            return new Answer(text + PoolView.listErrors(rows), PoolView.listJson(rows));
        }

        private static Mono<PoolView.Row> row(DaosClient client, PoolEntryMessage entry) {
            String pool = Ids.uuid(entry.getPool()).toString();
            return Mono.usingWhen(
                            client.connectPool(pool, OpenMode.READ_ONLY),
                            Pool::query,
                            opened -> opened.close().onErrorResume(e -> Mono.empty()))
                    .map(reply -> new PoolView.Row(entry, Optional.of(reply), Optional.empty()))
                    .onErrorResume(e -> Mono.just(
                            new PoolView.Row(entry, Optional.empty(), Optional.of(FaultException.faultOf(e)))));
        }
    }

    @Command(name = "query", description = "Shows a pool's health and space.", mixinStandardHelpOptions = true)
    static final class Query extends DaosCommand {
        @Parameters(paramLabel = "POOL", description = "Label or UUID.")
        private String pool = "";

        @Option(
                names = {"-e", "--show-enabled"},
                description = "Also the ranks that are enabled.")
        private boolean enabled;

        @Override
        Answer run() {
            PoolQueryReply reply = Blocking.get(session().poolToRead(pool).query());
            return new Answer(PoolView.query(reply, enabled), PoolView.queryJson(reply));
        }
    }
}
