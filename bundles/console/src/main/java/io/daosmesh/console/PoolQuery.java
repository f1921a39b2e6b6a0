package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.view.PoolView;
import io.daosmesh.model.wire.PoolQueryReply;
import org.apache.karaf.shell.api.action.Argument;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code daos:pool-query}, as {@code dmg pool query}. */
@Service
@Command(scope = "daos", name = "pool-query", description = "Health, space and rebuild of a pool")
public final class PoolQuery extends NodeCommand {
    @Argument(name = "pool", description = "label or UUID", required = true)
    String pool = "";

    @Option(name = "-e", aliases = "--show-enabled", description = "with the ranks that serve it")
    boolean enabled;

    @Override
    void run(AdminCalls calls, String here) {
        PoolQueryReply reply = calls.poolQuery(pool);
        show(() -> PoolView.query(reply, enabled), () -> PoolView.queryJson(reply));
    }
}
