//! What is built, and what it takes.

use super::*;
use crate::value::{Kind, Value};

#[test]
fn lists_that_grow_by_turns_keep_their_items() {
    let mut draft = Draft::new();
    let lists: Vec<_> = (0..4).map(|_| draft.list(&[])).collect();
    let mut model = vec![Vec::new(); lists.len()];
    let mut random: u32 = 1;
    for number in 0..2000_i64 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (which, many) = (random as usize >> 8 & 3, random as usize >> 16 & 3);
        let items: Vec<_> = (0..many).map(|_| draft.int(number)).collect();
        assert!(draft.append(lists[which], &items));
        model[which].extend(std::iter::repeat_n(number, many));
    }
    let key = draft.str("lists");
    let all = draft.tuple(&lists);
    let root = draft.dict(&[key, all]);
    assert!(draft.allocated() < 200_000, "{}", draft.allocated());
    let session = draft.finish(root).unwrap();
    let Some(Kind::Tuple(lists)) = session.value("lists").map(Value::kind) else { panic!("no tuple") };
    for (list, model) in lists.zip(model) {
        let Kind::List(items) = list.kind() else { panic!("no list") };
        assert!(items.map(Value::as_i64).eq(model.into_iter().map(Some)));
    }
}

#[test]
fn integers_are_as_small_as_they_can_be() {
    let mut draft = Draft::new();
    let bytes: [&[u8]; 6] = [&[], &[0xff], &[5, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[0xff; 20], &[0x80, 0xff], &[0xff, 0]];
    let ids: Vec<_> = bytes.iter().map(|bytes| draft.big_int(bytes)).collect();
    let huge = draft.big_int(&[0, 0, 0, 0, 0, 0, 0, 0x80, 0, 0]);
    let (key, list) = (draft.str("x"), draft.list(&[&ids[..], &[huge]].concat()));
    let root = draft.dict(&[key, list]);
    let session = draft.finish(root).unwrap();
    let Some(Kind::List(mut items)) = session.value("x").map(Value::kind) else { panic!("no list") };
    let small: Vec<_> = items.by_ref().take(6).map(|item| item.as_i64().unwrap()).collect();
    assert_eq!(small, [0, -1, 5, -1, -128, 255]);
    let Some(Kind::BigInt(huge)) = items.next().map(Value::kind) else { panic!("small") };
    assert_eq!((huge.to_u128(), huge.le_bytes().len()), (Some(1 << 63), 9));
}

#[test]
fn foreign_ids_are_no_panic() {
    let mut other = Draft::new();
    let far = (0..100).map(|number| other.int(number)).last().unwrap();
    let mut draft = Draft::new();
    let key = draft.str("x");
    assert!(!draft.append(far, &[key]) && !draft.set_state(NodeId::ABSENT, key) && !draft.may_be_called(far));
    let global = draft.global(far, NodeId::ABSENT);
    let object = draft.object(Form::Call, global, far, Some(NodeId::ABSENT));
    let root = draft.dict(&[key, object, far, far]);
    let session = draft.finish(root).unwrap();
    assert_eq!(
        format!("{:?}", session.iter().collect::<Vec<_>>()),
        "[(Value(Str(1 bytes)), Value(Object(Call))), (Value(None), Value(None))]"
    );
    assert!(Draft::new().finish(far).unwrap().is_empty());
}
