package io.daosmesh.console;

import io.daosmesh.admin.AdminCalls;
import io.daosmesh.admin.view.PoolView;
import java.util.List;
import org.apache.karaf.shell.api.action.Command;
import org.apache.karaf.shell.api.action.Option;
import org.apache.karaf.shell.api.action.lifecycle.Service;

/** {@code daos:pool-list}, as {@code dmg pool list}. */
@Service
@Command(scope = "daos", name = "pool-list", description = "All pools")
public final class PoolList extends NodeCommand {
    @Option(name = "-v", aliases = "--verbose", description = "more about each pool")
    boolean verbose;

    @Override
    void run(AdminCalls calls, String here) {
        List<PoolView.Row> rows = PoolView.rows(calls, false);
        if (!json) out().print(PoolView.listErrors(rows));
        show(() -> verbose ? PoolView.listVerbose(rows) : PoolView.list(rows), () -> PoolView.listJson(rows));
    }
}
