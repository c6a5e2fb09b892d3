// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "../../src/libraries/Signatures.sol";
import {Test} from "../support/Test.sol";
import {Wallet} from "../support/Wallet.sol";

contract Binder {
    function binds(bytes32 digest, address account, bytes calldata signature)
        external
        view
        returns (bool)
    {
        return Signatures.binds(digest, account, signature);
    }
}

/// @dev Asks with so much gas and no more: 1 yes, 2 no, 0 the call failed.
contract Miser {
    function ask(Binder binder, uint256 gasGiven, bytes calldata call_)
        external
        view
        returns (uint256)
    {
        (bool success, bytes memory answer) = address(binder).staticcall{gas: gasGiven}(call_);
        if (!success) return 0;
        return abi.decode(answer, (bool)) ? 1 : 2;
    }
}

/// @notice Which bytes bind which account.
contract SignaturesTest is Test {
    bytes32 private constant DIGEST = keccak256("terms");
    Binder private binder = new Binder();
    address private account;
    uint256 private key;
    Wallet private wallet;

    function setUp() external {
        (account, key) = keyOf("signer");
        wallet = new Wallet(account);
    }

    function refuses(address who, bytes memory signature) private view {
        assertFalse(binder.binds(DIGEST, who, signature));
    }

    // ---------------------------------------------------------------- keys

    function testFuzz_binds_by_both_forms_of_the_key_alone(uint256 anyKey, bytes32 digest)
        external
        view
    {
        anyKey = bound(anyKey, 1, SECP256K1_ORDER - 1);
        address who = vm.addr(anyKey);
        assertTrue(binder.binds(digest, who, signatureOf(anyKey, digest)));
        assertTrue(binder.binds(digest, who, compactSignatureOf(anyKey, digest)));
        address other = address(uint160(who) ^ 1);
        assertFalse(binder.binds(digest, other, signatureOf(anyKey, digest)));
        assertFalse(binder.binds(digest, other, compactSignatureOf(anyKey, digest)));
        assertFalse(binder.binds(~digest, who, signatureOf(anyKey, digest)));
    }

    /// @dev The twin signature with the other half of s: one message, one signature.
    function testFuzz_refuses_a_high_s(uint256 anyKey, bytes32 digest) external view {
        anyKey = bound(anyKey, 1, SECP256K1_ORDER - 1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(anyKey, digest);
        bytes32 high = bytes32(SECP256K1_ORDER - uint256(s));
        uint8 turned = v == 27 ? 28 : 27;
        assertEq(ecrecover(digest, turned, r, high), vm.addr(anyKey), "the curve would take it");
        assertFalse(binder.binds(digest, vm.addr(anyKey), abi.encodePacked(r, high, turned)));
    }

    /// @dev The largest s that is low, and the least that is high.
    function test_draws_the_line_at_half_the_order() external view {
        bytes32 half = bytes32(SECP256K1_ORDER / 2);
        bytes32 r =
            bytes32(uint256(0x79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798));
        address low = ecrecover(DIGEST, 27, r, half);
        address high = ecrecover(DIGEST, 27, r, bytes32(uint256(half) + 1));
        assertTrue(low != address(0) && high != address(0), "the curve takes both");
        assertTrue(binder.binds(DIGEST, low, abi.encodePacked(r, half, uint8(27))));
        refuses(high, abi.encodePacked(r, uint256(half) + 1, uint8(27)));
    }

    function testFuzz_refuses_a_v_that_is_neither_27_nor_28(uint8 v) external view {
        vm.assume(v != 27 && v != 28);
        (, bytes32 r, bytes32 s) = vm.sign(key, DIGEST);
        refuses(account, abi.encodePacked(r, s, v));
    }

    function testFuzz_refuses_every_other_length(bytes memory signature) external view {
        vm.assume(signature.length != 64 && signature.length != 65);
        refuses(account, signature);
        bytes memory good = signatureOf(key, DIGEST);
        refuses(account, abi.encodePacked(good, signature, bytes1(0)));
    }

    /// @dev What does not recover gives the zero address, which nobody is.
    function test_refuses_the_zero_address_whatever_is_brought() external view {
        refuses(address(0), abi.encodePacked(bytes32(0), bytes32(0), uint8(27)));
        refuses(address(0), "");
        refuses(address(0), new bytes(64));
        refuses(account, new bytes(65));
    }

    function test_refuses_precompiles() external view {
        for (uint160 k = 1; k <= 10; ++k) {
            refuses(address(k), signatureOf(key, DIGEST));
            refuses(address(k), abi.encode(DIGEST));
        }
    }

    /// @dev No `code.length` decides anything: an account with delegated code still signs with its key.
    function test_binds_by_the_key_of_an_account_with_code() external {
        vm.etch(account, hex"fe");
        assertTrue(binder.binds(DIGEST, account, signatureOf(key, DIGEST)));
    }

    // ---------------------------------------------------------------- wallets

    function says(Wallet.Mood mood) private returns (bool) {
        wallet.become(mood);
        return binder.binds(DIGEST, address(wallet), signatureOf(key, DIGEST));
    }

    function test_binds_a_wallet_that_agrees() external {
        assertTrue(says(Wallet.Mood.Honest));
        assertTrue(says(Wallet.Mood.AgreesToAll));
        assertTrue(binder.binds(DIGEST, address(wallet), "of any length"));
    }

    function test_refuses_a_wallet_that_does_not_agree() external {
        assertFalse(says(Wallet.Mood.Refuses));
        assertFalse(says(Wallet.Mood.Reverts));
        assertFalse(says(Wallet.Mood.RevertsAgreeing), "with the magic value as its reason");
        wallet.become(Wallet.Mood.Honest);
        (, uint256 other) = keyOf("other");
        refuses(address(wallet), signatureOf(other, DIGEST));
    }

    function test_refuses_an_answer_of_another_form() external {
        assertFalse(says(Wallet.Mood.AnswersShort), "four bytes");
        assertFalse(says(Wallet.Mood.AnswersDirty), "more than the magic value");
    }

    function test_refuses_a_wallet_that_writes() external {
        assertFalse(says(Wallet.Mood.Writes));
        assertEq(wallet.written(), 0);
    }

    function test_pays_no_more_than_the_allowance_for_burning_and_for_long_answers() external {
        wallet.become(Wallet.Mood.Burns);
        uint256 before = gasleft();
        refuses(address(wallet), signatureOf(key, DIGEST));
        assertLt(before - gasleft(), Signatures.WALLET_GAS + 30_000);
        wallet.become(Wallet.Mood.AnswersLong);
        before = gasleft();
        assertTrue(binder.binds(DIGEST, address(wallet), signatureOf(key, DIGEST)));
        assertLt(before - gasleft(), 60_000, "the answer is not copied");
    }

    function test_refuses_a_wallet_without_code() external {
        vm.etch(address(wallet), "");
        refuses(address(wallet), signatureOf(key, DIGEST));
    }

    /// @dev With any gas: the true answer, or the whole call fails. Never `no` for a good signature. From
    /// Prague on, reaching an account with delegated code costs a second cold access. Isolated, so that
    /// each question finds everything cold.
    /// forge-config: default.evm_version = "prague"
    /// forge-config: default.isolate = true
    function test_never_calls_a_good_signature_bad_for_want_of_gas() external {
        Miser miser = new Miser();
        address spender = address(new Spender());
        (address delegator,) = keyOf("delegator");
        vm.etch(delegator, abi.encodePacked(hex"ef0100", spender));
        uint256[3] memory answers;
        for (uint256 k = 0; k < 2; ++k) {
            address who = k == 0 ? spender : delegator;
            bytes memory call_ =
                abi.encodeCall(binder.binds, (DIGEST, who, signatureOf(key, DIGEST)));
            for (uint256 gasGiven = 102_000; gasGiven < 125_000; gasGiven += 50) {
                ++answers[miser.ask(binder, gasGiven, call_)];
            }
        }
        assertGt(answers[0], 20, "too little gas for any answer");
        assertGt(answers[1], 20, "enough gas");
        assertEq(answers[2], 0, "starved");
    }
}

/// @dev Agrees only if it gets the gas that is promised, asked before anything else is done.
contract Spender {
    fallback() external {
        uint256 given;
        assembly {
            given := gas()
        }
        // What stands before the question costs less than 1,000 however this is compiled.
        bytes32 answer =
            given >= Signatures.WALLET_GAS - 1000 ? bytes32(bytes4(0x1626ba7e)) : bytes32(0);
        assembly {
            mstore(0, answer)
            return(0, 32)
        }
    }
}
