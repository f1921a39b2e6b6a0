package io.daosmesh.engine.shard;

import com.google.protobuf.ByteString;
import io.daosmesh.engine.vos.ByteKey;
import io.daosmesh.model.fault.Fault;
import io.daosmesh.model.fault.FaultCode;
import io.daosmesh.model.placement.Placement;
import io.daosmesh.model.placement.ValueRules;
import io.daosmesh.model.wire.KeyChangeMessage;
import io.daosmesh.model.wire.KeyChangeMessage.Condition;
import io.daosmesh.model.wire.ValueMessage;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One dkey's part of an atomic change of several. Immutable.
 *
 * @param values what is written; none for a punch
 * @param akey whose state the condition looks at; empty = the whole dkey
 * @param version for {@link Condition#VERSION}: epoch of the single value, 0 = absent
 */
public record KeyChange(
        byte[] dkey, List<ValueMessage> values, boolean isPunch, Condition condition, byte[] akey, long version) {
    /** Dkeys of one request: what a small transaction of names needs, and short on the loop. */
    public static final int CHANGES_MAX = 8;

    static KeyChange of(KeyChangeMessage m) {
        if (m.getCondition() == Condition.UNRECOGNIZED) throw invalid("unknown condition %d", m.getConditionValue());
        return new KeyChange(
                m.getDkey().toByteArray(),
                m.getValuesList(),
                m.getPunch(),
                m.getCondition(),
                m.getAkey().toByteArray(),
                m.getVersion());
    }

    public KeyChangeMessage toWire() {
        return KeyChangeMessage.newBuilder()
                .setDkey(ByteString.copyFrom(dkey))
                .addAllValues(values)
                .setPunch(isPunch)
                .setCondition(condition)
                .setAkey(ByteString.copyFrom(akey))
                .setVersion(version)
                .build();
    }

    /** INVAL, KEY2BIG for what no retry can make right; the values' sizes are checked with those of all others. */
    static void check(ShardAddress address, List<KeyChange> changes) {
        if (changes.isEmpty() || changes.size() > CHANGES_MAX)
            throw invalid("%d changes in one request: it takes 1 to %d", changes.size(), CHANGES_MAX);
        Set<ByteKey> dkeys = new HashSet<>();
        for (KeyChange c : changes) {
            WriteOp.checkKey(c.dkey);
            WriteOp.checkKeyLength(c.akey.length);
            if (Placement.groupOf(address.oid(), c.dkey) != address.group())
                throw invalid("a dkey does not belong to group %d", address.group());
            if (!dkeys.add(new ByteKey(c.dkey))) throw invalid("a dkey is changed twice in one request");
            if (c.isPunch != c.values.isEmpty()) throw invalid("a change either writes values or punches the dkey");
            if (c.condition == Condition.VERSION && c.akey.length == 0)
                throw invalid("a version is that of an akey's value");
            ValueRules.check(ValueRules.Use.UPDATE, c.values);
        }
    }

    private static RuntimeException invalid(String text, Object... args) {
        return Fault.of(FaultCode.INVAL, text, args).asException();
    }
}
