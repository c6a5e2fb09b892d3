// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    Hold,
    Holding,
    Instruction,
    Leg,
    Reason,
    SignedInstruction,
    Standing
} from "../../src/interfaces/Types.sol";
import {Chance} from "../support/Chance.sol";
import {Market} from "../support/Market.sol";
import {Wallet} from "../support/Wallet.sol";

/// @notice Books that somebody else keeps from the events.
interface Rebuilt {
    function holdingOf(address account, uint32 asset) external view returns (Holding memory);
    function supplyOf(uint32 asset) external view returns (uint256);
    function endOf(address account, uint64 nonce) external view returns (uint8);
    function liveStateOf(bytes32 id) external view returns (uint16 consents, uint8 reserved);
}

/// @notice A trading day at random: four honest parties, a forger and a griefer, and the world around them.
/// No act here may revert: what is refused is attempted and must be refused for a reason.
/// @dev Keeps its own books of what each party owns, moved only by what the honest ones agreed to.
contract Floor is Market, Chance {
    /// @dev Four honest ones (the last a wallet), then the forger, then the griefer (a wallet).
    address[6] public parties;
    Wallet public vault;
    Wallet public griefer;
    address public forger;
    uint32 public constant ASSETS = 3;
    uint256 private constant MAX_DEALS = 40;

    struct Deal {
        bytes terms;
        bytes[] signatures;
        bytes32 id;
        bool settled;
        bool cancelled;
    }

    Deal[] private _deals;
    Hold[] private _holds;
    address private _module;

    /// @dev What each owns, available or held, by what it agreed to.
    mapping(address party => mapping(uint32 asset => uint256)) public owned;
    mapping(uint32 asset => uint256) public issued;
    /// @dev Who agreed to which id, by signature or by call, and did not take it back.
    mapping(bytes32 id => mapping(address party => bool)) public agreed;
    /// @dev 1 settled, 2 cancelled, told by the acts that succeeded.
    mapping(address party => mapping(uint64 nonce => uint8)) public ended;
    mapping(address party => uint64) private _next;
    uint256 public settlements;
    uint256 public binding;
    uint256 public exits;

    constructor() {
        setUp();
        vault = wallet("vault");
        griefer = wallet("griefer");
        forger = admitted("forger");
        griefer.become(Wallet.Mood.AgreesToAll);
        _module = named("module");
        books.setModule(_module, true);
        parties = [seller, buyer, agent, address(vault), forger, address(griefer)];
        for (uint256 k = 0; k < parties.length; ++k) {
            for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
                bring(parties[k], asset, 500);
            }
        }
    }

    // ---------------------------------------------------------------- chance

    function isHonest(address party) public view returns (bool) {
        return party != forger && party != address(griefer);
    }

    function anyDeal() private returns (uint256) {
        return roll(_deals.length);
    }

    function termsOf(uint256 index) public view returns (Instruction memory) {
        return abi.decode(_deals[index].terms, (Instruction));
    }

    function dealCount() external view returns (uint256) {
        return _deals.length;
    }

    /// @dev Some act of somebody on some deal; needs a deal.
    modifier act(uint256 seed) {
        seedOfAct = seed;
        if (_deals.length == 0) propose(seed);
        _;
    }

    // ---------------------------------------------------------------- the honest ones trade

    /// @notice Somebody proposes; each party signs, or withholds its signature.
    function propose(uint256 seed) public {
        seedOfAct = seed;
        if (_deals.length == MAX_DEALS) return;
        uint256 count = 1 + roll(3);
        Instruction memory one = terms(address(0), 0, count);
        for (uint256 k = 0; k < count; ++k) {
            uint256 from = roll(6);
            address to = parties[(from + 1 + roll(5)) % 6];
            one.legs[k] = leg(uint32(1 + roll(ASSETS)), parties[from], to, uint128(1 + roll(120)));
        }
        one.initiator = one.legs[roll(count)].deliverer;
        // Now and then a nonce is used a second time.
        one.nonce = roll(4) == 0 ? uint64(roll(_next[one.initiator] + 1)) : _next[one.initiator]++;
        one.settleFrom = uint64(vm.getBlockTimestamp() + (roll(3) == 0 ? roll(4 hours) : 0));
        one.settleBy = uint64(one.settleFrom + 1 + roll(2 days));
        one.terms = bytes32(_deals.length);
        _keep(one);
    }

    function _keep(Instruction memory one) private {
        bytes32 id = books.idOf(one);
        address[] memory accounts = accountsOf(one);
        Deal storage deal = _deals.push();
        deal.terms = abi.encode(one);
        deal.id = id;
        for (uint256 k = 0; k < accounts.length; ++k) {
            if (isHonest(accounts[k]) && roll(6) == 0) {
                deal.signatures.push("");
            } else {
                deal.signatures.push(signatureBy(accounts[k], id));
                agreed[id][accounts[k]] = true;
            }
        }
    }

    /// @notice Settles if and only if `whyNot` is empty, and then only what all honest parties agreed to.
    function settle(uint256 seed) external act(seed) {
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        bytes[] memory signatures = roll(4) == 0 ? nothing : _deals[index].signatures;
        Reason[] memory reasons = books.whyNot(one, signatures);
        bool success = attempt(stranger, abi.encodeCall(books.settle, (one, signatures)));
        assertEq(success, reasons.length == 0, "L6: settles if and only if whyNot is empty");
        if (success) _moved(index);
    }

    function settleMany(uint256 seed) external act(seed) {
        uint256[4] memory chosen;
        SignedInstruction[] memory batch = new SignedInstruction[](4);
        for (uint256 k = 0; k < 4; ++k) {
            chosen[k] = anyDeal();
            batch[k] = SignedInstruction(termsOf(chosen[k]), _deals[chosen[k]].signatures);
        }
        vm.prank(stranger);
        bytes4[] memory codes = books.settleMany(batch);
        for (uint256 k = 0; k < 4; ++k) {
            if (codes[k] == 0) _moved(chosen[k]);
        }
    }

    /// @dev A deal settled: once, in its window, agreed to by every honest party. All its legs count.
    function _moved(uint256 index) private {
        Deal storage deal = _deals[index];
        Instruction memory one = termsOf(index);
        assertEq(ended[one.initiator][one.nonce], 0, "L4: once");
        uint256 now_ = vm.getBlockTimestamp();
        assertTrue(one.settleFrom <= now_ && now_ < one.settleBy, "L7: in its window");
        for (uint256 k = 0; k < one.legs.length; ++k) {
            Leg memory one_ = one.legs[k];
            assertTrue(
                !isHonest(one_.deliverer) || agreed[deal.id][one_.deliverer], "L3: deliverer"
            );
            assertTrue(!isHonest(one_.receiver) || agreed[deal.id][one_.receiver], "L3: receiver");
            owned[one_.deliverer][one_.asset] -= one_.quantity;
            owned[one_.receiver][one_.asset] += one_.quantity;
        }
        deal.settled = true;
        ended[one.initiator][one.nonce] = 1;
        ++settlements;
    }

    // ---------------------------------------------------------------- on chain

    /// @notice Anyone brings the signatures there are, or a party consents by its own call.
    function affirm(uint256 seed) external act(seed) {
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        if (roll(3) != 0) {
            attempt(stranger, abi.encodeCall(books.affirm, (one, _deals[index].signatures)));
            return;
        }
        address[] memory accounts = accountsOf(one);
        address who = accounts[roll(accounts.length)];
        bytes[] memory none = new bytes[](accounts.length);
        if (attempt(who, abi.encodeCall(books.affirm, (one, none)))) {
            agreed[_deals[index].id][who] = true;
        }
    }

    /// @notice Makes a deal firm: all consents, and all commitments, so that it binds if it can.
    function commit(uint256 seed) external act(seed) {
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        attempt(stranger, abi.encodeCall(books.affirm, (one, _deals[index].signatures)));
        address[] memory accounts = accountsOf(one);
        for (uint256 k = 0; k < accounts.length; ++k) {
            _reserve(index, one, accounts[k], true);
        }
        if (_binds(one)) ++binding;
    }

    function reserve(uint256 seed) external act(seed) {
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        address[] memory accounts = accountsOf(one);
        _reserve(index, one, accounts[roll(accounts.length)], roll(2) == 0);
    }

    function _reserve(uint256 index, Instruction memory one, address who, bool committed) private {
        bytes32 id = _deals[index].id;
        bytes memory signature;
        address caller = who;
        if (roll(2) == 0) {
            signature = signatureBy(who, reservationOf(who, id, committed));
            caller = stranger;
        }
        bool success =
            attempt(caller, abi.encodeCall(books.reserve, (one, who, committed, signature)));
        if (success) agreed[id][who] = true;
    }

    /// @dev Whether a deal binds, from the public reads.
    function _binds(Instruction memory one) private view returns (bool) {
        (uint16 consents,, uint8 committed,) = books.liveState(books.idOf(one));
        return consents == 2 ** accountsOf(one).length - 1 && committed == 2 ** one.legs.length - 1;
    }

    /// @notice Law L5: by its own call an owner ends its reservation, unless the deal binds and lasts.
    function release(uint256 seed) external act(seed) {
        uint256 index = anyDeal();
        // The next deal of which something is reserved, if there is one.
        for (uint256 n = 0; n < _deals.length && _reservedOf(index) == 0; ++n) {
            index = (index + 1) % _deals.length;
        }
        Instruction memory one = termsOf(index);
        uint8 reserved = _reservedOf(index);
        uint256 k = roll(one.legs.length);
        address who = one.legs[k].deliverer;
        bool open =
            reserved / 2 ** k % 2 == 1 && (!_binds(one) || vm.getBlockTimestamp() >= one.settleBy);
        bool success = attempt(who, abi.encodeCall(books.release, (one, who, "")));
        assertEq(success, open, "L5: the owner's own call");
        if (success) ++exits;
    }

    function _reservedOf(uint256 index) private view returns (uint8 reserved) {
        (, reserved,,) = books.liveState(_deals[index].id);
    }

    /// @notice Law L5: until all consents are on chain an account gets out of a live or open deal.
    function withdraw(uint256 seed) external act(seed) {
        if (roll(3) != 0) return;
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        address[] memory accounts = accountsOf(one);
        address who = accounts[roll(accounts.length)];
        bool success = attempt(who, abi.encodeCall(books.withdraw, (one, who, "")));
        if (success) agreed[_deals[index].id][who] = false;
    }

    function cancel(uint256 seed) external act(seed) {
        if (roll(3) != 0) return;
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        bool together = roll(2) == 0;
        (uint16 consents,,,) = books.liveState(_deals[index].id);
        bool committed = consents == 2 ** accountsOf(one).length - 1;
        bytes[] memory list = together ? cancellationsOf(one) : new bytes[](1);
        bool success = attempt(
            together ? stranger : one.initiator,
            abi.encodeCall(books.cancel, (one, one.settleBy, list))
        );
        if (!success) return;
        assertTrue(together || !committed, "nobody alone leaves what all consented to");
        assertEq(ended[one.initiator][one.nonce], 0, "L4: once");
        _deals[index].cancelled = true;
        ended[one.initiator][one.nonce] = 2;
    }

    // ---------------------------------------------------------------- the forger

    /// @notice Alters terms, replays messages, signs for others, calls for others: none of it goes through.
    function forgeAnything(uint256 seed) external act(seed) {
        uint256 index = anyDeal();
        Instruction memory one = termsOf(index);
        bytes32 id = _deals[index].id;
        address victim = parties[roll(4)];
        if (!_stands(one, victim)) return;
        bytes memory mine = signatureBy(forger, about(RELEASE, victim, id));
        // The victim's signature under another message than the one that is asked for.
        bytes memory other = signatureBy(victim, reservationOf(victim, id, true));
        uint256 kind = roll(6);
        bool lapsed = vm.getBlockTimestamp() >= one.settleBy;
        bytes memory call_;
        if (kind == 0) return _forgeTerms(one, index);
        if (kind == 1 && !lapsed) call_ = abi.encodeCall(books.release, (one, victim, mine));
        if (kind == 2 && !lapsed) call_ = abi.encodeCall(books.release, (one, victim, other));
        if (kind == 3) call_ = abi.encodeCall(books.withdraw, (one, victim, other));
        if (kind == 4) call_ = abi.encodeCall(books.reserve, (one, victim, true, mine));
        if (kind == 5) {
            bytes[] memory list = cancellationsOf(one);
            address[] memory accounts = accountsOf(one);
            for (uint256 k = 0; k < list.length; ++k) {
                if (accounts[k] == victim) list[k] = other;
            }
            call_ = abi.encodeCall(books.cancel, (one, one.settleBy, list));
        }
        if (call_.length != 0) assertFalse(attempt(forger, call_), "L3: forged");
    }

    function _stands(Instruction memory one, address who) private pure returns (bool) {
        for (uint256 k = 0; k < one.legs.length; ++k) {
            if (one.legs[k].deliverer == who || one.legs[k].receiver == who) return true;
        }
        return false;
    }

    /// @dev Other terms under the old signatures: more, to itself, later, again.
    function _forgeTerms(Instruction memory one, uint256 index) private {
        uint256 kind = roll(5);
        Leg memory one_ = one.legs[roll(one.legs.length)];
        if (kind == 0) one_.quantity += 1;
        if (kind == 1) one_.receiver = one_.deliverer == forger ? seller : forger;
        if (kind == 2) one.settleBy += 1 days;
        if (kind == 3) one.nonce += 1;
        if (kind == 4) one_.asset = one_.asset % ASSETS + 1;
        if (books.idOf(one) == _deals[index].id) return;
        bytes[] memory old = _deals[index].signatures;
        assertFalse(attempt(forger, abi.encodeCall(books.settle, (one, old))), "L3: forged terms");
        if (accountsOf(one).length == old.length && isHonest(one.initiator)) {
            bytes memory call_ = abi.encodeCall(books.affirm, (one, old));
            assertFalse(attempt(forger, call_), "L3: forged consents");
        }
    }

    // ---------------------------------------------------------------- the griefer

    /// @notice Burns its nonces, affirms and walks away, lies, and calls back while it is asked.
    function grieve(uint256 seed) external act(seed) {
        uint256 kind = roll(5);
        if (kind == 0) griefer.become(Wallet.Mood(roll(10)));
        if (kind == 1) griefer.become(Wallet.Mood.AgreesToAll);
        Instruction memory one = termsOf(anyDeal());
        if (kind == 2) {
            griefer.plan(address(books), abi.encodeCall(books.release, (one, seller, "")));
        }
        if (kind == 3) {
            Instruction memory burned = terms(address(griefer), uint64(roll(40)), 1);
            burned.settleBy += 3650 days;
            burned.legs[0] = leg(BOND, address(griefer), seller, 1);
            bytes memory call_ =
                abi.encodeCall(books.cancel, (burned, burned.settleBy, new bytes[](1)));
            if (attempt(address(griefer), call_)) ended[address(griefer)][burned.nonce] = 2;
        }
        if (kind == 4) {
            bytes[] memory none = new bytes[](accountsOf(one).length);
            attempt(address(griefer), abi.encodeCall(books.affirm, (one, none)));
        }
    }

    // ---------------------------------------------------------------- modules

    /// @notice A module holds what an owner lets it hold, gives it back, or moves it on.
    function hold(uint256 seed) external {
        seedOfAct = seed;
        if (_holds.length < 8) {
            Hold memory new_ = Hold({
                module: _module,
                purpose: "escrow",
                index: uint8(_holds.length),
                account: parties[roll(6)],
                asset: uint32(1 + roll(ASSETS)),
                quantity: uint128(1 + roll(100)),
                deadline: uint64(vm.getBlockTimestamp() + 1 + roll(1 days))
            });
            if (attempt(_module, abi.encodeCall(books.placeHold, (new_)))) _holds.push(new_);
            return;
        }
        Hold memory old = _holds[roll(8)];
        bool live = books.isLive(old);
        bool over = vm.getBlockTimestamp() >= old.deadline;
        bool success = attempt(old.account, abi.encodeCall(books.releaseHold, (old)));
        assertEq(success, live && over, "L5: from the deadline on, and only then");
    }

    // ---------------------------------------------------------------- the world

    function pass(uint256 seed) external {
        vm.warp(vm.getBlockTimestamp() + seed % 3 hours);
    }

    function bring(address party, uint32 asset, uint128 quantity) private {
        books.issue(asset, party, quantity, "more");
        owned[party][asset] += quantity;
        issued[asset] += quantity;
    }

    function issue(uint256 seed) external {
        seedOfAct = seed;
        (address party, uint32 asset) = (parties[roll(6)], uint32(1 + roll(ASSETS)));
        if (books.assetOf(asset).frozen) return;
        if (books.accountOf(party).standing != Standing.Admitted) return;
        bring(party, asset, uint128(1 + roll(200)));
    }

    function redeem(uint256 seed) external {
        seedOfAct = seed;
        (address party, uint32 asset) = (parties[roll(4)], uint32(1 + roll(ASSETS)));
        uint64 nonce = roll(4) == 0 ? uint64(roll(9)) : _next[party]++;
        uint128 quantity = uint128(1 + roll(150));
        (bool success,) = address(books).call(_redemption(party, asset, quantity, nonce));
        if (!success) return;
        assertEq(ended[party][nonce], 0, "L4: once");
        ended[party][nonce] = 1;
        owned[party][asset] -= quantity;
        issued[asset] -= quantity;
    }

    function _redemption(address party, uint32 asset, uint128 quantity, uint64 nonce)
        private
        view
        returns (bytes memory)
    {
        bytes32 messageType = keccak256(
            "Redemption(address account,uint32 asset,uint128 quantity,bytes32 ref,uint64 nonce,uint64 validBy)"
        );
        uint64 validBy = type(uint64).max;
        bytes memory words =
            abi.encode(messageType, party, asset, quantity, bytes32(0), nonce, validBy);
        bytes memory signature = signatureBy(party, digestOf(keccak256(words)));
        return abi.encodeCall(books.redeem, (party, asset, quantity, 0, nonce, validBy, signature));
    }

    /// @notice Freezes and suspends for a while.
    function govern(uint256 seed) external {
        seedOfAct = seed;
        uint256 kind = roll(5);
        address party = parties[roll(6)];
        if (kind == 0) books.setStanding(party, Standing.Suspended, 0);
        if (kind == 1) books.freezeAccount(party, true, "TEST");
        if (kind == 2) books.freezeAsset(uint32(1 + roll(ASSETS)), true, "TEST");
        if (kind < 3) return;
        for (uint256 k = 0; k < 6; ++k) {
            books.setStanding(parties[k], Standing.Admitted, 0);
            books.freezeAccount(parties[k], false, "TEST");
        }
        for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
            books.freezeAsset(asset, false, "TEST");
        }
    }

    // ---------------------------------------------------------------- what must hold

    /// @notice Laws L1 to L4 as they stand between any two acts.
    function check() external view {
        for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
            uint256 sum = 0;
            for (uint256 k = 0; k < 6; ++k) {
                uint256 balance = books.balanceOf(parties[k], asset);
                assertEq(balance, owned[parties[k]][asset], "L1, L3: as the parties agreed");
                sum += balance;
            }
            assertEq(sum, books.totalSupply(asset), "L2: sum of the holdings");
            assertEq(sum, issued[asset], "L2: issued less redeemed");
        }
        // All deals take time: after every eighth act, by chance, and at the end.
        if (seedOfAct % 8 == 0) _checkDeals();
    }

    function _checkDeals() private view {
        _checkHeld();
        for (uint256 k = 0; k < _deals.length; ++k) {
            Instruction memory one = termsOf(k);
            uint8 end = ended[one.initiator][one.nonce];
            uint8 status = books.nonceStatus(one.initiator, one.nonce);
            assertEq(status % 3, end, "L4: an end is an end, and there is no other");
            assertTrue(!(_deals[k].settled && _deals[k].cancelled), "L4: one end");
        }
    }

    /// @dev Every held unit belongs to a live reservation or a live hold.
    function _checkHeld() private view {
        uint256[4][6] memory sums;
        for (uint256 k = 0; k < _deals.length; ++k) {
            uint8 reserved = _reservedOf(k);
            if (reserved == 0) continue;
            Instruction memory one = termsOf(k);
            for (uint256 j = 0; j < one.legs.length; ++j) {
                if (reserved / 2 ** j % 2 == 0) continue;
                sums[_numberOf(one.legs[j].deliverer)][one.legs[j].asset] += one.legs[j].quantity;
            }
        }
        for (uint256 k = 0; k < _holds.length; ++k) {
            if (!books.isLive(_holds[k])) continue;
            sums[_numberOf(_holds[k].account)][_holds[k].asset] += _holds[k].quantity;
        }
        for (uint256 k = 0; k < 6; ++k) {
            for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
                assertEq(held(parties[k], asset), sums[k][asset], "held for what is live");
            }
        }
    }

    function _numberOf(address party) private view returns (uint256 k) {
        while (parties[k] != party) ++k;
    }

    /// @notice Law L5: with the operator, the authority and every counterparty gone, each owner gets all of
    /// its value back by its own calls when the deadlines have passed.
    function everybodyLeaves() external {
        _checkDeals();
        for (uint256 k = 0; k < 6; ++k) {
            books.setStanding(parties[k], Standing.Unknown, 0);
            books.freezeAccount(parties[k], true, "TEST");
        }
        vm.etch(address(authority), "");
        uint256 last = vm.getBlockTimestamp();
        for (uint256 k = 0; k < _deals.length; ++k) {
            uint256 settleBy = termsOf(k).settleBy;
            if (settleBy > last) last = settleBy;
        }
        for (uint256 k = 0; k < _holds.length; ++k) {
            if (_holds[k].deadline > last) last = _holds[k].deadline;
        }
        vm.warp(last);
        for (uint256 k = 0; k < _deals.length; ++k) {
            Instruction memory one = termsOf(k);
            uint8 reserved = _reservedOf(k);
            for (uint256 j = 0; j < one.legs.length; ++j) {
                address owner = one.legs[j].deliverer;
                if (reserved / 2 ** j % 2 == 0) continue;
                attempt(owner, abi.encodeCall(books.release, (one, owner, "")));
            }
        }
        for (uint256 k = 0; k < _holds.length; ++k) {
            attempt(_holds[k].account, abi.encodeCall(books.releaseHold, (_holds[k])));
        }
        for (uint256 k = 0; k < 6; ++k) {
            for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
                assertEq(held(parties[k], asset), 0, "L5: nothing stays held");
                assertEq(available(parties[k], asset), owned[parties[k]][asset], "L5: all is back");
            }
        }
    }

    /// @notice Law L8: what somebody kept from the events is what the chain holds.
    function compare(Rebuilt rebuilt) external view {
        for (uint256 k = 0; k < 6; ++k) {
            for (uint32 asset = BOND; asset <= ASSETS; ++asset) {
                bytes memory kept = abi.encode(rebuilt.holdingOf(parties[k], asset));
                assertEq(kept, abi.encode(books.holdingOf(parties[k], asset)), "L8: holding");
                assertEq(rebuilt.supplyOf(asset), books.totalSupply(asset), "L8: supply");
            }
        }
        for (uint256 k = 0; k < _deals.length; ++k) {
            Instruction memory one = termsOf(k);
            uint8 status = books.nonceStatus(one.initiator, one.nonce);
            assertEq(rebuilt.endOf(one.initiator, one.nonce), status, "L8: nonce");
            (uint16 consents, uint8 reserved,,) = books.liveState(_deals[k].id);
            (uint16 keptConsents, uint8 keptReserved) = rebuilt.liveStateOf(_deals[k].id);
            assertEq(keptConsents, consents, "L8: consents");
            assertEq(keptReserved, reserved, "L8: reservations");
        }
    }

    function market() external view returns (address) {
        return address(books);
    }
}
