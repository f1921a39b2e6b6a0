package io.daosmesh.engine.write;

import io.daosmesh.engine.shard.KeyChange;
import io.daosmesh.engine.shard.PoolShard;
import io.daosmesh.engine.shard.WriteOp;
import io.daosmesh.engine.vos.GroupReader;
import io.daosmesh.engine.vos.Keys;
import io.daosmesh.engine.vos.VosRecord;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.fault.FaultException;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.ValueMessage;
import io.daosmesh.storage.kv.KvReader;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What must hold for a write to be carried out, judged by the leader on what is committed: nothing that could change the
 * answer may be open meanwhile. Owner: target loop.
 */
final class Conditions {
    private Conditions() {}

    /** A scope whose open update has to be decided before the conditions can be judged; null if there is none. */
    static byte @Nullable [] openScope(PoolShard s, WriteOp op, List<byte[]> scopes) {
        List<byte[]> all = new ArrayList<>(scopes);
        all.add(Keys.punches(op.address().groupPrefix()));
        return s.dtx().firstOpen(all, op.dtx().id());
    }

    /** Null if all conditions hold now; else why not, or why that cannot be told. */
    static @Nullable Fault unmet(KvReader kv, PoolShard s, WriteOp op) {
        if (op.level() == WriteOp.OBJECT) return null;
        try (GroupReader r = new GroupReader(kv, op.address().groupPrefix(), Long.MAX_VALUE, s.dtx())) {
            if (op.level() != WriteOp.CHANGES) return unmet(r.at(op.dkey()), op);
            for (KeyChange c : op.changes()) {
                Fault f = unmet(r.at(c.dkey()), c);
                if (f != null) return f;
            }
            return null;
        } catch (FaultException e) {
            return e.fault();
        }
    }

    private static @Nullable Fault unmet(GroupReader r, WriteOp op) {
        boolean wanted = op.dtx().condition() == WriteOp.MUST_EXIST;
        if (op.values().isEmpty()) return r.dkeyExists() == wanted ? null : existence(wanted);
        for (ValueMessage v : op.values()) {
            if (r.akeyExists(v.getAkey().toByteArray()) != wanted) return existence(wanted);
        }
        return null;
    }

    private static @Nullable Fault unmet(GroupReader r, KeyChange c) {
        if (c.condition() == KeyChangeMessage.Condition.NONE) return null;
        if (c.condition() == KeyChangeMessage.Condition.VERSION) {
            VosRecord record = r.single(c.akey());
            long version = record == null ? 0 : record.epoch();
            return version == c.version()
                    ? null
                    : Fault.of(FaultCode.TX_RESTART, "the value has changed").with("version", version);
        }
        boolean wanted = c.condition() == KeyChangeMessage.Condition.EXISTS;
        boolean isThere = c.akey().length == 0 ? r.dkeyExists() : r.akeyExists(c.akey());
        return isThere == wanted ? null : existence(wanted);
    }

    private static Fault existence(boolean wanted) {
        return Fault.of(wanted ? FaultCode.NONEXIST : FaultCode.EXIST, "the key %s", wanted ? "is absent" : "is there");
    }
}
