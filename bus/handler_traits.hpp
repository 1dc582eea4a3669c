// What a handler takes, read from its signature at compile time.
#pragma once

#include <type_traits>

#include <bus/overloaded.hpp>

namespace actorbus::core {

// Chosen by overload resolution and never defined. A noexcept signature converts to the one without.
template <class R, class A>
std::type_identity<A> argument_of(R (*)(A));
template <class R, class C, class A>
std::type_identity<A> argument_of(R (C::*)(A));
template <class R, class C, class A>
std::type_identity<A> argument_of(R (C::*)(A) const);
template <class R, class C, class A>
std::type_identity<A> argument_of(R (C::*)(A) &);
template <class R, class C, class A>
std::type_identity<A> argument_of(R (C::*)(A) const&);

template <class F>
struct first_argument {
  using type = void;
};

template <class F>
requires requires(F* function) { argument_of(function); }
struct first_argument<F> {
  using type = std::decay_t<typename decltype(argument_of(static_cast<F*>(nullptr)))::type>;
};

// The address of a template or of an overload set has no type, so those fall through to void.
template <class F>
requires requires { argument_of(&F::operator()); }
struct first_argument<F> {
  using type = std::decay_t<typename decltype(argument_of(&F::operator()))::type>;
};

/// The decayed type of the single parameter of a function, a function pointer, or an object whose call operator is
/// neither a template nor overloaded; void for everything else.
template <class F>
using first_argument_t = typename first_argument<std::remove_pointer_t<std::remove_cvref_t<F>>>::type;

template <class Handler, class Notice>
struct names_notice : std::is_same<first_argument_t<Handler>, Notice> {};

template <class Notice, class... F>
std::disjunction<names_notice<F, Notice>...> members_name(const overloaded<F...>*);

// An `overloaded`, or a class derived from one.
template <class Handler, class Notice>
requires requires(const Handler* handler) { members_name<Notice>(handler); }
struct names_notice<Handler, Notice> : decltype(members_name<Notice>(static_cast<const Handler*>(nullptr))) {};

/// Whether `Handler`, or a member of it if it is an `overloaded`, names `Notice` as its parameter. A generic lambda
/// names nothing, though it could be called.
template <class Handler, class Notice>
inline constexpr bool takes_notice = names_notice<std::remove_cvref_t<Handler>, Notice>::value;

}  // namespace actorbus::core
